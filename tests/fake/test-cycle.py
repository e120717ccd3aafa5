# SPDX-License-Identifier: GPL-2.0-or-later
"""A cull cycle: fill, demand, cull. The oldest fifth goes, after one scan, and nothing else."""

from fakelib import *


def ages(numbers):
    return [FIRST * 1000000000 + n * STEP for n in numbers]


def oldest_fifth(volumes, size, **more):
    with Fake(OBJECTS, volumes, size) as fake:
        daemon = fake.start(**more).bound()
        fake.order("forget")
        wanted = OBJECTS // 5
        fake.want(wanted)
        fake.wait_culled(wanted, daemon)
        wait_for("the report", lambda: daemon.count("culled %d files" % wanted))
        daemon.stop()

        got = fake.get()
        culled = fake.culled()
        equal(len(culled), wanted, "objects culled")
        equal(sorted(culled), ages(range(wanted)), "ages of what was culled")
        half = wanted // 2
        equal(sorted(culled[:half]), ages(range(half)), "ages in the first batch")
        equal(culled[-16:], ages(range(wanted - 16, wanted)), "ages at the end")
        equal(got["scans"], 1, "scans")
        directories = 1 + volumes * 257
        at_most(got["getdents"], 2 * directories + 20, "listings read")
        at_most(got["reads"], 10, "reads of the state")
        at_most(got["writes"], wanted + volumes + 10, "commands")
        equal(got["outside"], 0, "culls outside of the cache")
        if any(r.thread == daemon.pid for r in fake.records() if r.text.startswith("cull ")):
            raise AssertionError("the event loop culls")


def one_volume():
    oldest_fifth(1, 0)


def sixteen_volumes_in_64_descriptors():
    oldest_fifth(16, 0, nofile=64)


def by_blocks():
    """The demand is in blocks: 8 KiB an object."""
    objects = 4000
    with Fake(objects, 1, 8192) as fake:
        fake.order("set total_files 1000000")
        fake.order("set total_blocks %d" % (objects * 2 * 2))
        fake.write_conf(brun=30, bcull=25, bstop=5)
        daemon = fake.start().bound()
        fake.order("forget")
        now = fake.get()
        run_limit = now["total_blocks"] // 100 * now["brun"]
        wanted = objects // 5
        fake.order("add used_sectors %d" % ((now["free_blocks"] - run_limit + wanted * 2) * 8))
        fake.wait_culled(wanted, daemon)
        daemon.stop()
        equal(sorted(fake.culled()), ages(range(wanted)), "ages of what was culled")


def again_and_again():
    """Each demand is one cycle; what the first scan has chosen does for the next ones as well."""
    objects, wanted, cycles = 5000, 200, 5
    with Fake(objects) as fake:
        fake.write_conf(fcull=29)
        daemon = fake.start().bound()
        fake.order("forget")
        for i in range(1, cycles + 1):
            fake.want(wanted)
            fake.wait_culled(i * wanted, daemon)
            wait_for("the report", lambda: daemon.count("culled %d files" % wanted) == i)
        daemon.stop()
        equal(sorted(fake.culled()), ages(range(cycles * wanted)), "ages of what was culled")
        at_most(fake.get()["scans"], 2, "scans")


def wanted_before_the_start():
    """The kernel wants space when the daemon binds."""
    with Fake(5000) as fake:
        fake.order("add used_files 4000")
        daemon = fake.start().bound()
        fake.wait_culled(2000, daemon)
        daemon.stop()
        equal(sorted(fake.culled()), ages(range(2000)), "ages of what was culled")


def nocull():
    with Fake(2000) as fake:
        daemon = fake.start("-N").bound()
        fake.want(500)
        wait_for("the demand", lambda: fake.get()["culling"])
        daemon.settle()
        daemon.stop()
        equal(fake.get()["culls"], 0, "culls")


def used_since_the_scan():
    """What somebody uses between scan and cull stays."""
    objects, wanted = 3000, 600
    with Fake(objects) as fake:
        kept = [path for path in glob.glob(fake.cache + "/cache/*/*/*")
                if os.stat(path).st_atime_ns in ages(range(wanted - 10, wanted))]
        equal(len(kept), 10, "objects to touch")
        daemon = fake.start().bound()
        fake.order("forget")
        fake.order("inject cull 0 1 1 15000")  # the first takes long, and the scan is over then
        fake.want(wanted)
        wait_for("the first cull", lambda: fake.get()["writes"] > 0)
        for path in kept:
            os.utime(path, ns=(time.time_ns(), time.time_ns()))
        equal(fake.get()["culls"], 0, "culls before the touch")
        fake.wait_culled(wanted, daemon)
        daemon.stop()
        equal(sum(os.path.exists(path) for path in kept), 10, "touched objects that are there")
        equal(sorted(fake.culled()),
              ages(list(range(wanted - 10)) + list(range(wanted, wanted + 10))), "ages")


run(one_volume, sixteen_volumes_in_64_descriptors, by_blocks, again_and_again,
    wanted_before_the_start, nocull, used_since_the_scan)
