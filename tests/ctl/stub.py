# SPDX-License-Identifier: GPL-2.0-or-later
"""A control socket that answers as it is told, and cachefilesctl run against it.

Environment: CTL is the binary. A test is a function; run() runs those it is given.
"""

import json
import os
import pty
import re
import select
import socket
import subprocess
import sys
import tempfile
import threading
import time
import traceback

CTL = os.environ["CTL"]

# A condition that never comes costs no more than this.
PATIENCE = 60

NOW = int(time.time())

# As the daemon's control.h has it.
STATUS = {
    "version": "1.0.0", "state": "bound", "dir": "/var/cache/fscache", "tag": "CacheFiles",
    "filesystem": "ext4 on /dev/vdb", "since": NOW - 3 * 3600, "waiting": None, "stalled": None,
    "blocked": False,
    "policy": {"freeze": "yield", "yield_seconds": 30, "remount": "refuse"},
    "kernel": {"claim": True, "unbind": True, "frzref": 2, "roref": 0},
    "limits": {"brun": 7 << 30, "bcull": 5 << 30, "bstop": 1 << 30,
               "frun": 70000, "fcull": 50000, "fstop": 10000},
    "free": {"bytes": 12 << 30, "files": 1234567, "at": NOW},
    "cull": {"running": False, "enabled": True, "cycle": 12, "wanted_bytes": 0, "wanted_files": 0,
             "culled_bytes": 5 << 20, "culled_files": 100, "busy": 3},
    "totals": {"cycles": 12, "culled_files": 41200, "culled_bytes": 3 << 30, "busy": 120,
               "denied": 1},
    "last_scan": {"at": NOW - 300, "seconds": 1.25, "volumes": 3, "files": 200000,
                  "bytes": 12 << 30, "oldest": 3 * 86400},
    "graveyard": {"removed": 120, "stuck": 2},
    "refused": {"freezes": 2, "remounts": 1,
                "last": {"time": NOW - 7200, "what": "freeze", "text": "a freeze was refused",
                         "advice": "set \"freeze yield\""}},
    "yields": 3, "rebinds": 2, "deaths": 1,
}

VOLUMES = {"scanned_at": NOW - 600, "volumes": [
    {"key": "Infs,4.2,2,108,202000a,1a,", "name": "nfs4.2:10.0.2.2:1a:0", "live": True,
     "objects": 41200, "bytes": 3 << 30, "oldest": 3 * 86400, "rule": "nfs* priority 5"},
    {"key": "Icifs,nas,share", "name": "cifs:nas:share", "live": False, "orphan": True, "objects": 0, "bytes": 0,
     "oldest": None, "rule": None},
]}


def with_members(base, changes):
    """A deep copy with members set by path: {"cull/running": True}."""
    copy = json.loads(json.dumps(base))
    for path, value in changes.items():
        at = copy
        *parents, last = path.split("/")
        for parent in parents:
            at = at[parent]
        at[last] = value
    return copy


def status(**changes):
    return 200, with_members(STATUS, {k.replace("__", "/"): v for k, v in changes.items()})


class Raw(bytes):
    """An answer that goes out byte for byte."""


class Stub:
    """Serves answers: {"GET /status": answer or list of answers}, the last one for good. An answer
    is (status, object), Raw, or a function of the request that returns one of these; None holds
    the connection without a word."""

    def __init__(self, answers):
        self.answers = {k: list(v) if isinstance(v, list) else [v] for k, v in answers.items()}
        self.requests = []
        self.place = tempfile.mkdtemp(prefix="cachefilesctl-")
        self.path = self.place + "/control"
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(5)
        self.held = []
        threading.Thread(target=self.serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.die()
        os.rmdir(self.place)

    def die(self):
        """Nobody listens any more, and the socket is gone."""
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
        if os.path.exists(self.path):
            os.unlink(self.path)

    def serve(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.answer(connection)

    def answer(self, connection):
        request = b""
        while b"\r\n\r\n" not in request:
            part = connection.recv(65536)
            if not part:
                return
            request += part
        head, _, body = request.partition(b"\r\n\r\n")
        length = int(re.search(rb"Content-Length: (\d+)", head)[1])
        while len(body) < length:
            body += connection.recv(65536)
        what = " ".join(head.decode().split(" ")[:2])
        self.requests.append((what, json.loads(body) if body else None))
        answers = self.answers.get(what, [(404, {"error": "no such thing: " + what})])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer(self)
        if answer is None:
            self.held.append(connection)
            return
        if not isinstance(answer, Raw):
            text = json.dumps(answer[1]).encode()
            answer = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (answer[0], len(text), text)
        try:
            connection.sendall(answer)
        except OSError:
            pass
        connection.close()

    def ctl(self, *arguments, **more):
        return ctl("--socket", self.path, *arguments, **more)


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err


def check_sanitizers(err):
    for trace in ("Sanitizer", "runtime error:"):
        if trace in err:
            raise AssertionError("a sanitizer speaks: " + err)


def ctl(*arguments, env=(), stdout=subprocess.PIPE):
    environment = dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC")
    environment.update(env)
    done = subprocess.run([CTL] + list(arguments), stdin=subprocess.DEVNULL, stdout=stdout,
                          stderr=subprocess.PIPE, env=environment, timeout=PATIENCE)
    err = done.stderr.decode()
    check_sanitizers(err)
    return Result(done.returncode, (done.stdout or b"").decode(), err)


def ctl_on_terminal(*arguments):
    """stdout and stderr are one terminal."""
    process, terminal = pty.fork()
    if process == 0:
        os.environ["LC_ALL"] = "C.UTF-8"
        os.execv(CTL, [CTL] + list(arguments))
    out, end = b"", time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            part = os.read(terminal, 65536)
        except OSError:
            break
        if not part:
            break
        out += part
    os.close(terminal)
    code = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
    check_sanitizers(out.decode())
    return Result(code, out.decode().replace("\r\n", "\n"), "")


def equal(got, wanted, what):
    if got != wanted:
        raise AssertionError("%s: got %r, wanted %r" % (what, got, wanted))


def has(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError("%r is not in:\n%s" % (part, text))


def lacks(text, *parts):
    for part in parts:
        if part in text:
            raise AssertionError("%r is in:\n%s" % (part, text))


def ended(result, code, out="", err=""):
    """The exit code, and the whole of what was printed unless it is None."""
    if result.code != code:
        raise AssertionError("exit code %d, wanted %d\n%s%s" % (result.code, code, result.out,
                                                                result.err))
    if out is not None:
        equal(result.out, out, "stdout")
    if err is not None:
        equal(result.err, err, "stderr")
    return result


def run(*tests):
    chosen, failed = sys.argv[1:], []
    for test in tests:
        if chosen and test.__name__ not in chosen:
            continue
        try:
            test()
            print("ok   " + test.__name__, flush=True)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print("FAIL " + test.__name__, flush=True)
            failed.append(test.__name__)
    sys.exit(1 if failed else 0)
