# SPDX-License-Identifier: GPL-2.0-or-later
"""Nothing to do: nobody wakes up but for the watchdog."""

from fakelib import *

# A tick comes every 30 seconds, two at most while we watch: a thread probes, the loop hears of it,
# and the two may wait for each other's lock: seven wake-ups were seen. A timer of a second is more.
SECONDS = 20
TICKS = 16


def watch(fake, daemon, what):
    before, counts = daemon.switches(), fake.get()
    time.sleep(SECONDS)
    daemon.check_alive()
    after, now = daemon.switches(), fake.get()
    print("     %s: %d wake-ups in %d s" % (what, after - before, SECONDS))
    at_most(after - before, TICKS, "wake-ups, " + what)
    for name in ("getdents", "statx", "scans", "culls", "opens"):
        equal(now[name] - counts[name], 0, name + ", " + what)
    # a look with each question whether it lives: is the filesystem writable still?
    at_most(now["statfs"] - counts["statfs"], 2, "statfs, " + what)
    at_most(now["reads"] - counts["reads"], 2, "reads, " + what)


def idle():
    with Fake(1000) as fake:
        daemon = fake.start().bound()
        daemon.settle()
        watch(fake, daemon, "after the start")
        fake.want(240)
        fake.wait_culled(240, daemon)
        wait_for("the report", lambda: daemon.count("culled 240 files"))
        daemon.settle()
        watch(fake, daemon, "after a cycle")
        daemon.stop()


def idle_with_demand():
    """Culling is off, and the device is writable all the time."""
    with Fake(1000) as fake:
        daemon = fake.start("-N").bound()
        fake.want(240)
        wait_for("the demand", lambda: fake.get()["culling"])
        daemon.settle()
        watch(fake, daemon, "with nocull and a demand")
        daemon.stop()


run(idle, idle_with_demand)
