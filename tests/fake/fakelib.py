# SPDX-License-Identifier: GPL-2.0-or-later
"""The daemon's binary on a fake kernel, for tests: directories, processes, orders, the log.

Environment: FAKE_BUILD is where fakekernel, libfakedev.so and mktree are, DAEMON the binary,
FAKE_OBJECTS the size of the large trees. A test is a function; run() runs those it is given.
"""

import collections
import glob
import os
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.environ["FAKE_BUILD"]
DAEMON = os.environ["DAEMON"]
OBJECTS = int(os.environ.get("FAKE_OBJECTS", "20000"))

# A machine may be slow, and a condition that never comes costs no more than this.
PATIENCE = int(os.environ.get("FAKE_PATIENCE", "240"))

FIRST = 1500000000  # seconds: last use of the least recently used
STEP = 1000000  # nanoseconds between two

# Prepended to what a test wants; the names of directives are the limits' own.
LIMITS = {"frun": 30, "fcull": 25, "fstop": 5, "brun": 7, "bcull": 5, "bstop": 1}

Record = collections.namedtuple("Record", "time_ns atime_ns blocks cwd result thread text")
RECORD = struct.Struct("<QqQQiI280s")
LOG_OFFSET = 65536


class Skip(Exception):
    pass


def suitable(directory):
    """Whether a cache can be there: files without a name, user attributes."""
    try:
        fd = os.open(directory, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError:
        return False
    try:
        os.setxattr(fd, "user.CacheFiles.test", b"1")
        return os.statvfs(directory).f_bsize <= resource.getpagesize()
    except OSError:
        return False
    finally:
        os.close(fd)


def scratch():
    for place in (os.environ.get("TMPDIR"), "/tmp", "/var/tmp", os.getcwd(), "/dev/shm"):
        if place and os.path.isdir(place) and suitable(place):
            return tempfile.mkdtemp(prefix="cachefilesd-fake-", dir=place)
    raise Skip("no filesystem here has files without a name and user attributes")


def capable():
    """CAP_SYS_ADMIN and CAP_DAC_OVERRIDE, which the daemon needs to start at all."""
    with open("/proc/self/status") as status:
        held = int(re.search(r"CapPrm:\s*(\S+)", status.read()).group(1), 16)
    return held >> 21 & 1 and held >> 1 & 1


def wait_for(what, condition, patience=PATIENCE):
    end = time.monotonic() + patience
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)


def equal(got, wanted, what):
    if got != wanted:
        raise AssertionError("%s: got %r, wanted %r" % (what, got, wanted))


def at_most(got, limit, what):
    if got > limit:
        raise AssertionError("%s: got %r, wanted at most %r" % (what, got, limit))


class Daemon:
    """One process; its stderr is in a file."""

    def __init__(self, fake, binary, arguments, log, env, nofile):
        def before():
            os.umask(0o077)  # of a careful caller, who shall not shut out the socket's readers
            if nofile:
                resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

        self.fake = fake
        self.log_path = log
        with open(log, "w") as stderr:
            self.process = subprocess.Popen(
                [binary] + arguments, stdin=subprocess.DEVNULL, stdout=stderr, stderr=stderr,
                env=env, preexec_fn=before, cwd="/")
        self.pid = self.process.pid

    def log(self):
        with open(self.log_path, errors="replace") as f:
            return f.read()

    def count(self, text):
        return self.log().count(text)

    def alive(self):
        return self.process.poll() is None

    def check_alive(self):
        if not self.alive():
            raise AssertionError("the daemon ended with %d" % self.process.returncode)

    def wait_log(self, text, times=1):
        def there():
            found = self.count(text) >= times
            if not found:
                self.check_alive()
            return found
        wait_for("the message " + repr(text), there)

    def bound(self):
        def is_bound():
            self.check_alive()
            return self.fake.get()["ready"] == 1 and self.count("caching in")
        wait_for("a bound cache", is_bound)
        return self

    def kill(self, number):
        self.process.send_signal(number)

    def wait(self):
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError("the daemon does not end")

    def stop(self, number=15):
        """Ends it in order: exit code 0, nothing of a sanitizer in the log."""
        self.check_alive()
        self.kill(number)
        equal(self.wait(), 0, "exit code after signal %d" % number)
        self.check_sanitizers()

    def check_sanitizers(self):
        for trace in ("Sanitizer", "runtime error:"):
            if self.count(trace):
                raise AssertionError("a sanitizer speaks")

    def switches(self):
        """How often its threads went to sleep."""
        total = 0
        for path in glob.glob("/proc/%d/task/*/status" % self.pid):
            with open(path) as status:
                total += int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", status.read(),
                                       re.M).group(1))
        return total

    def settle(self):
        """Until all that a start, a cycle or a signal gives it to do is done: half a second of
        sleep."""
        def still():
            self.check_alive()
            before = self.switches()
            time.sleep(0.5)
            return self.switches() == before
        wait_for("silence", still)


class Fake:
    """A fake kernel and a cache directory."""

    def __init__(self, objects=0, volumes=1, size=0, records=1000000):
        self.daemons = []
        self.place = scratch()
        self.state = os.path.join(self.place, "kernel")
        self.cache = os.path.join(self.place, "cache")
        self.conf = os.path.join(self.place, "conf")
        os.mkdir(self.state)
        os.mkdir(self.cache)
        self.room = records
        if objects:
            self.make_tree(objects, volumes, size)
        self.kernel = subprocess.Popen(
            [BUILD + "/fakekernel", self.state, self.cache, str(records)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE)
        equal(self.kernel.stdout.readline(), b"ready\n", "fakekernel's start")
        self.order("account")
        if objects:
            self.order("set total_files %d" % (objects * 2))

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if kind and kind is not Skip:
            for daemon in self.daemons:
                print("---- log of the daemon, last lines")
                print("\n".join(daemon.log().splitlines()[-40:]))
            print("---- fake kernel:", {k: v for k, v in self.get().items() if v})
        for daemon in self.daemons:
            if daemon.alive():
                daemon.process.kill()
                daemon.process.wait()
        self.kernel.stdin.close()
        self.kernel.stdout.close()
        self.kernel.wait()
        shutil.rmtree(self.place, ignore_errors=True)

    def make_tree(self, objects, volumes=1, size=0, first=FIRST):
        subprocess.run([BUILD + "/mktree", self.cache, str(objects), str(volumes), str(size),
                        str(first), str(STEP)], check=True)

    def make_tree_again(self, objects):
        """So many objects more, younger than all."""
        self.generation = getattr(self, "generation", 0) + 1
        inside = "%s/%d" % (self.place, self.generation)
        os.mkdir(inside)
        subprocess.run([BUILD + "/mktree", inside, str(objects), "1", "0",
                        str(FIRST + self.generation * 1000), str(STEP)], check=True)
        for path in glob.glob(inside + "/cache/*/*/*"):
            parts = path.split("/")
            parent = os.path.join(self.cache, *parts[-4:-1])
            os.makedirs(parent, exist_ok=True)
            os.rename(path, "%s/E%d%s" % (parent, self.generation, parts[-1][1:]))
        shutil.rmtree(inside)
        self.order("account")

    def order(self, line):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(self.state + "/socket")
            s.sendall(line.encode() + b"\n")
            answer = b""
            while True:
                part = s.recv(16384)
                if not part:
                    break
                answer += part
        text = answer.decode()
        if text.startswith("error") or not text:
            raise AssertionError("fakekernel: %r: %s" % (line, text))
        return text

    def get(self):
        values = {}
        for line in self.order("get").splitlines():
            key, _, value = line.partition(" ")
            values[key] = value if key in ("dir", "tag") else int(value)
        return values

    def records(self):
        count = min(self.get()["log_count"], self.room)
        found = []
        with open(self.state + "/state", "rb") as f:
            f.seek(LOG_OFFSET)
            for _ in range(count):
                fields = RECORD.unpack(f.read(RECORD.size))
                found.append(Record(*fields[:6], fields[6].split(b"\0")[0].decode()))
        return found

    def culled(self):
        """Ages of what was culled, in order."""
        return [r.atime_ns for r in self.records()
                if r.text.startswith("cull ") and r.result == 0]

    def write_conf(self, more="", ours=True, **limits):
        with open(self.conf, "w") as f:
            f.write("dir %s\ntag fake\n" % self.cache)
            if ours and not re.search("^control ", more, re.M):
                f.write("control none\n")  # the default is the host's
            for key, value in dict(LIMITS, **limits).items():
                f.write("%s %d%%\n" % (key, value))
            f.write(more)

    def start(self, *arguments, binary=DAEMON, nofile=0, env=(), foreground=True):
        environment = dict(
            os.environ, LD_PRELOAD=BUILD + "/libfakedev.so", CACHEFILES_FAKE=self.state,
            ASAN_OPTIONS=os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0")
        for name in ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "JOURNAL_STREAM"):
            environment.pop(name, None)
        environment.update(env)
        if not os.path.exists(self.conf):
            self.write_conf()
        log = os.path.join(self.place, "log%d" % len(self.daemons))
        daemon = Daemon(self, binary, (["-n"] if foreground else []) +
                        ["-s", "-f", self.conf] + list(arguments), log, environment, nofile)
        self.daemons.append(daemon)
        return daemon

    def want(self, files):
        """Takes so many files away that culling this many ends it (frun 30 of 200 % objects)."""
        now = self.get()
        run = now["total_files"] // 100 * now["frun"]
        if run - files >= now["total_files"] // 100 * now["fcull"]:
            raise AssertionError("the kernel would not ask for so few")
        self.order("add used_files %d" % (now["free_files"] - run + files))

    def wait_culled(self, number, daemon):
        """Until so many are culled since the last "forget", and the kernel wants no more."""
        def done():
            daemon.check_alive()
            now = self.get()
            return now["culls"] >= number and not now["culling"]
        wait_for("%d culls" % number, done)


def run(*tests):
    if not capable():
        print("needs CAP_SYS_ADMIN")
        sys.exit(77)
    chosen = sys.argv[1:]
    failed = []
    for test in tests:
        if chosen and test.__name__ not in chosen:
            continue
        started = time.monotonic()
        try:
            test()
            print("ok   %-40s %6.1f s" % (test.__name__, time.monotonic() - started), flush=True)
        except Skip as why:
            print("skip %s: %s" % (test.__name__, why))
            sys.exit(77)
        except Exception:
            traceback.print_exc(file=sys.stdout)
            print("FAIL %s" % test.__name__, flush=True)
            failed.append(test.__name__)
    sys.exit(1 if failed else 0)
