# SPDX-License-Identifier: GPL-2.0-or-later
"""The cache dies: noticed, told, bound again, each time later."""

from fakelib import *

DEAD = "the kernel declared the cache dead"
# An idle cache is looked at with the watchdog.
WATCHDOG = {"WATCHDOG_USEC": "2000000"}


def while_idle():
    with Fake() as fake:
        daemon = fake.start(env=WATCHDOG).bound()
        for i in range(1, 4):
            fake.order("die")
            daemon.wait_log(DEAD, i)
            wait_for("the next binding", lambda: fake.get()["binds"] == i + 1)
            daemon.wait_log("caching in", i + 1)
        equal(daemon.count(DEAD), 3, "messages about a death")
        daemon.stop()

        gaps, closed = [], None
        for record in fake.records():
            if record.text == "withdraw":
                closed = record.time_ns
            elif record.text == "open" and closed:
                gaps.append((record.time_ns - closed) / 1e9)
        print("     bound again after", ["%.1f s" % gap for gap in gaps])
        for gap, least in zip(gaps, (0.9, 1.9, 3.9)):
            if gap < least:
                raise AssertionError("bound again after %.1f s already" % gap)


def while_culling():
    """It goes on where it was."""
    with Fake(1000) as fake:
        daemon = fake.start().bound()
        fake.order("forget")
        fake.order("inject cull 0 1 40 50")
        fake.want(240)
        wait_for("a cull", lambda: fake.get()["culls"] > 2)
        fake.order("die")
        daemon.wait_log(DEAD)
        fake.order("clear")
        fake.wait_culled(240, daemon)
        equal(fake.get()["binds"], 1, "bound again")
        equal(daemon.count(DEAD), 1, "messages about the death")
        daemon.stop()


def for_long():
    """What keeps it from binding again is waited for, even where --no-wait was said."""
    with Fake() as fake:
        daemon = fake.start("--no-wait", env=WATCHDOG).bound()
        fake.order("inject bind 5 1 0 0")
        fake.order("die")
        daemon.wait_log("waiting")
        wait_for("attempts", lambda: fake.get()["opens"] >= 3)
        daemon.check_alive()
        fake.order("clear")
        wait_for("the next binding", lambda: fake.get()["binds"] == 2)
        daemon.wait_log("caching in", 2)
        daemon.stop()


def module_gone():
    with Fake() as fake:
        daemon = fake.start(env=WATCHDOG).bound()
        fake.order("set no_module 1")
        fake.order("die")
        daemon.wait_log("waiting")
        fake.order("set no_module 0")
        wait_for("the next binding", lambda: fake.get()["binds"] == 2)
        daemon.stop()


run(while_idle, while_culling, for_long, module_gone)
