# SPDX-License-Identifier: GPL-2.0-or-later
"""What cachefilesctl says, and exits with, when there is no answer, or not the one it wants."""

import pwd
import shutil
import tempfile

from stub import *

COMMANDS = (["status"], ["volumes"], ["cull", "--all"], ["yield"], ["resume"], ["reload"])
ASKED = ("GET /status", "GET /volumes", "POST /cull", "POST /yield", "POST /resume", "POST /reload")


def every_command(answer, code, *words, commands=COMMANDS):
    """All commands come to the same with such an answer."""
    with Stub({request: answer for request in ASKED}) as stub:
        for command in commands:
            has(ended(stub.ctl(*command), code, "", None).err, "cachefilesctl: ", *words)


def daemon_is_down():
    for command in COMMANDS:
        has(ended(ctl("--socket", "/nonexistent/control", *command), 1, "", None).err,
            "cachefilesd does not run", "/nonexistent/control", "systemctl status cachefilesd")
    has(ended(ctl("--socket", "/" + "x" * 200, "status"), 1, "", None).err, "File name too long")


def daemon_has_died():
    stub = Stub({})
    stub.listener.shutdown(socket.SHUT_RDWR)
    stub.listener.close()
    for command in COMMANDS:
        has(ended(stub.ctl(*command), 1, "", None).err, "cachefilesd does not run: nobody listens at",
            stub.path)
    os.unlink(stub.path)
    os.rmdir(stub.place)


def without_permission():
    every_command((403, {"error": "only root may"}), 3, "only root may: are you root?\n")
    every_command((403, None), 3, "cachefilesd answers with status 403: are you root?\n")


def socket_without_permission():
    if os.geteuid() != 0:
        return
    nobody = pwd.getpwnam("nobody")
    with Stub({}) as stub, tempfile.TemporaryDirectory() as reachable:
        os.chmod(stub.place, 0o700)
        # Where it was built may be out of that user's reach.
        os.chmod(reachable, 0o755)
        ctl = shutil.copy2(CTL, reachable)
        done = subprocess.run([ctl, "--socket", stub.path, "status"], stderr=subprocess.PIPE,
                              user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[],
                              timeout=PATIENCE)
        equal(done.returncode, 3, "exit code")
        has(done.stderr.decode(), "no permission to talk to cachefilesd at " + stub.path)


def not_now():
    every_command((409, {"error": "the cache is not bound"}), 4, "the cache is not bound\n")
    every_command((503, {"error": "too many connections"}), 4, "too many connections\n")


def other_errors():
    every_command((400, {"error": "\x1b[2Jno"}), 2, "\\x1b[2Jno\n")
    every_command((404, {"error": "no such path"}), 1, "no such path\n")
    every_command((500, {}), 1, "cachefilesd answers with status 500\n")
    every_command((500, {"error": 7}), 1, "cachefilesd answers with status 500\n")
    every_command((302, {"state": "bound"}), 1, "cachefilesd answers with status 302\n")
    every_command(Raw(b"HTTP/1.1 500 X\r\n\r\n<html>"), 1, "cachefilesd answers with status 500\n")
    every_command((422, {"error": "bad", "problems": [7, None, "x"]}), 2, "bad\n?\n?\nx\n")


def error_as_json():
    with Stub({request: (403, {"error": "only root may"}) for request in ASKED}) as stub:
        for command in COMMANDS:
            out = ended(stub.ctl("--json", *command), 3, None, None).out
            equal(json.loads(out), {"error": "only root may"}, "answer")


def half_answers():
    whole = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
    for length in (0, 1, 8, 20, len(whole) - 2, len(whole) - 1):
        every_command(Raw(whole[:length]), 1, "before its answer was whole", commands=COMMANDS[:1])


def foreign_answers():
    every_command(Raw(b"220 smtp\r\n"), 1, "does not speak HTTP")
    every_command(Raw(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 10000), 1, "does not speak HTTP")


def giant_answers():
    every_command(Raw(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n{}"), 1,
                  "answers with more than cachefilesd would")


def no_json():
    for body in (b"", b"{", b"[]", b"7", b"null", b"{}{}", b"{} x", b"{\"a\":\xff\"b\"}",
                 b"{\"a\":\"\xff\"}", b"{\"a\":" + b"[" * 5000 + b"]" * 5000 + b"}"):
        every_command(Raw(b"HTTP/1.1 200 OK\r\n\r\n" + body), 1, "the answer is not JSON",
                      commands=COMMANDS[:2])


def full_disk():
    with Stub({"GET /status": status(), "GET /volumes": (200, VOLUMES)}) as stub, \
            open("/dev/full", "w") as full:
        for command in (["status"], ["volumes"], ["status", "-j"]):
            has(ended(stub.ctl(*command, stdout=full), 1, "", None).err, "cannot write to stdout")


def wrong_usage():
    with Stub({}) as stub:
        for words in ([], ["frobnicate"], ["status", "x"], ["cull"], ["yield", "--for", "x"]):
            has(ended(stub.ctl(*words), 2, "", None).err, "cachefilesctl", "--help")
        equal(stub.requests, [], "requests")


run(daemon_is_down, daemon_has_died, without_permission, socket_without_permission, not_now,
    other_errors, error_as_json, half_answers, foreign_answers, giant_answers, no_json, full_disk,
    wrong_usage)
