# SPDX-License-Identifier: GPL-2.0-or-later
"""Objects in use: left alone, counted, and no reason to spin."""

import errno

from fakelib import *


def everything():
    """All in use: said once, few looks, and awake when objects are let go of."""
    objects = 1000
    with Fake(objects) as fake:
        daemon = fake.start().bound()
        fake.order("busy E*")
        fake.order("forget")
        fake.want(240)
        daemon.wait_log("culling stalled")
        before, cpu = fake.get(), cpu_ticks(daemon)
        time.sleep(8)
        after = fake.get()
        # Looks are 2, 4, 8 seconds apart: later on a slow machine, never earlier.
        at_most(after["scans"] - before["scans"], 3, "scans while stalled")
        at_most(after["reads"] - before["reads"], 12, "reads while stalled")
        at_most(after["writes"] - before["writes"], 4 * objects, "commands while stalled")
        equal(after["culls"], 0, "culls")
        print("     CPU while stalled: %d ticks in 8 s" % (cpu_ticks(daemon) - cpu))

        fake.order("free *")
        fake.order("release 100 800")
        fake.wait_culled(240, daemon)
        daemon.wait_log("culling goes on")
        equal(daemon.count("culling stalled"), 1, "messages about the stall")
        equal(sorted(fake.culled()), [FIRST * 1000000000 + n * STEP for n in range(240)], "ages")
        daemon.stop()


def cpu_ticks(daemon):
    with open("/proc/%d/stat" % daemon.pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return int(fields[11]) + int(fields[12])


def awake_when_released():
    """Long after the last look: what is let go of ends the wait, not the timer."""
    with Fake(1000) as fake:
        daemon = fake.start().bound()
        fake.order("busy E*")
        fake.want(240)
        daemon.wait_log("culling stalled")
        # The next look is 32 seconds away from the fourth.
        fake.order("forget")

        def four_looks():
            now = fake.get()
            return now["busy"] >= 4000 and now["reads"] >= 8
        wait_for("the end of four looks", four_looks)
        fake.order("free *")
        time.sleep(1)
        equal(fake.get()["culls"], 0, "culls before anything is told")
        fake.order("release 4 0")
        started = time.monotonic()
        time.sleep(1)
        equal(fake.get()["culls"], 0, "culls for less than the threshold")
        fake.order("release 1 0")
        fake.wait_culled(240, daemon)
        print("     awake after %.1f s" % (time.monotonic() - started - 1))
        # Not by the timer, which is 32 seconds from the last look.
        records = fake.records()
        last_look = max(r.time_ns for r in records if r.result == errno.EBUSY)
        first_cull = min(r.time_ns for r in records
                         if r.text.startswith("cull ") and not r.result)
        at_most((first_cull - last_look) / 1e9, 28, "seconds from the last look")
        daemon.stop()


def some():
    """Two of three in use: the younger ones make up for them."""
    objects = 3000
    with Fake(objects) as fake:
        daemon = fake.start().bound()
        fake.order("busy *[0-6]AAAA*")
        fake.order("forget")
        fake.want(600)
        fake.wait_culled(600, daemon)
        daemon.stop()
        left = [path for path in glob.glob(fake.cache + "/cache/*/*/*")
                if re.search("[0-6]AAAA", path)]
        equal(len(left), objects * 7 // 10, "objects in use that are there")
        culled = fake.culled()
        equal(len(culled), 600, "culls")
        idle = sorted(os.stat(path).st_atime_ns
                      for path in glob.glob(fake.cache + "/cache/*/*/*") if path not in left)
        if max(culled) >= idle[0]:
            raise AssertionError("a younger one went before an older one")


def live_volume():
    """The directories of a volume in use stay, empty as they are."""
    with Fake(300, 2) as fake:
        volumes = sorted(os.listdir(fake.cache + "/cache"))
        fake.order("busy " + volumes[0])
        fake.order("busy @*")
        daemon = fake.start().bound()
        fake.want(150)
        fake.wait_culled(150, daemon)
        daemon.stop()
        equal(sorted(os.listdir(fake.cache + "/cache")), volumes, "volumes")
        equal(len(os.listdir(fake.cache + "/cache/" + volumes[0])), 256, "fan-outs")


run(everything, awake_when_released, some, live_volume)
