# SPDX-License-Identifier: GPL-2.0-or-later
"""The guest agent's hook: what it orders, and that nothing makes it fail or wait for long.

Environment: HOOK is the script.
"""

import shutil

from stub import *

HOOK = os.environ["HOOK"]


class Place:
    """A directory with a cachefilesctl that notes what it is told and does as the script says."""

    def __init__(self, script="exit 0", state="bound"):
        self.path = tempfile.mkdtemp(prefix="cachefilesd-hook-")
        self.notes = self.path + "/notes"
        self.mark = self.path + "/mark"
        if script is not None:
            self.write("""#!/bin/sh
echo "$@" >>%s
[ "$1" != status ] || { echo '{ "version": "1", "state": "%s", "dir": "/x" }'; exit 0; }
%s
""" % (self.notes, state, script))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        shutil.rmtree(self.path)

    def write(self, text):
        with open(self.path + "/cachefilesctl", "w") as f:
            f.write(text)
        os.chmod(self.path + "/cachefilesctl", 0o755)

    def hook(self, *arguments, path="/usr/bin:/bin"):
        """Returns what it printed; it must succeed, and quickly."""
        before = time.monotonic()
        done = subprocess.run(
            [HOOK] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL, timeout=PATIENCE,
            env={"PATH": self.path + ":" + path, "CACHEFILESD_FSFREEZE_MARK": self.mark,
                 "CACHEFILESD_FSFREEZE_SECONDS": "1"})
        equal(done.returncode, 0, "exit code")
        self.seconds = time.monotonic() - before
        return done.stdout.decode()

    def told(self):
        if not os.path.exists(self.notes):
            return []
        with open(self.notes) as f:
            return [line.strip() for line in f if not line.startswith("status")]


def freeze_and_thaw():
    with Place() as place:
        place.hook("freeze")
        equal(place.told(), ["yield --for 15m"], "orders")
        place.hook("thaw")
        equal(place.told(), ["yield --for 15m", "resume"], "orders")
        place.hook("thaw")  # the agent thaws once more after a freeze that failed
        equal(len(place.told()), 2, "orders")


def yielded_already():
    for state in ("yielded", "yielding"):
        with Place(state=state) as place:
            has(place.hook("freeze"), "let go of already")
            place.hook("thaw")
            equal(place.told(), [], "orders")


def mark_of_another_time():
    """A freeze whose thaw never came does not resume what an administrator let go of later."""
    with Place(state="yielded") as place:
        open(place.mark, "w").close()
        place.hook("freeze")
        place.hook("thaw")
        equal(place.told(), [], "orders")


def nothing_to_do():
    with Place() as place:
        for arguments in ([], [""], ["status"], ["Freeze"]):
            equal(place.hook(*arguments), "", "output")
        equal(place.told(), [], "orders")


def without_cachefilesctl():
    with Place(None) as place:
        if shutil.which("cachefilesctl"):
            return
        for word in ("freeze", "thaw"):
            equal(place.hook(word), "", "output")


def daemon_is_down():
    """The real cachefilesctl, and nobody who listens."""
    with Place(None) as place:
        place.write("#!/bin/sh\nexec %s --socket /nonexistent \"$@\"\n" % CTL)
        has(place.hook("freeze"), "cachefilesd does not run", "ended with status 1")
        equal(os.path.exists(place.mark), False, "mark")
        equal(place.hook("thaw"), "", "output")


def fails():
    """It was refused or took too long: it may be let go of yet, and is resumed."""
    with Place("exit 4") as place:
        has(place.hook("freeze"), "ended with status 4")
        has(place.hook("thaw"), "resume ended with status 4")
        equal(place.told(), ["yield --for 15m", "resume"], "orders")


def hangs():
    for script in ("sleep 1000", "trap '' TERM; while :; do sleep 1000; done"):
        with Place(script) as place:
            for word in ("freeze", "thaw"):
                has(place.hook(word), "ended with status 1")
                if place.seconds > 30:
                    raise AssertionError("the agent waited for %d s" % place.seconds)
            equal(place.told(), ["yield --for 15m", "resume"], "orders")


def on_a_daemon():
    """The whole way, with the stub for a daemon."""
    with Stub({"POST /yield": (200, {"state": "yielded"}), "POST /resume": (200, {"state": "bound"}),
               "GET /status": [status(), status(state="yielded"), status()]}) as stub, \
            Place(None) as place:
        place.write("#!/bin/sh\nexec %s --socket %s \"$@\"\n" % (CTL, stub.path))
        has(place.hook("freeze"), "The cache is let go of")
        has(place.hook("thaw"), "The cache is bound")
        equal([r for r in stub.requests if r[0].startswith("POST")],
              [("POST /yield", {"for": 900}), ("POST /resume", None)], "orders")


run(freeze_and_thaw, yielded_already, mark_of_another_time, nothing_to_do, without_cachefilesctl,
    daemon_is_down, fails, hangs, on_a_daemon)
