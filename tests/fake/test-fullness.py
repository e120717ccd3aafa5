# SPDX-License-Identifier: GPL-2.0-or-later
"""Short of descriptors, of memory, of luck with the disk."""

import errno

from fakelib import *

CALLS = {
    "openat2": "EMFILE ENFILE ENOMEM EACCES EIO ENOENT EXDEV",
    "statx": "ENOMEM EIO EACCES ENOENT",
    "getdents64": "ENOMEM EIO ENOENT",
    "statfs": "ENOMEM EIO",
    "fchdir": "EACCES ENOENT EIO",
    "unlinkat": "EIO EROFS EBUSY ENOMEM",
    "renameat2": "EIO ENOSPC EXDEV",
    "syncfs": "EIO ENOSPC",
}


def few_descriptors():
    """Works with 64, and with fewer says so."""
    with Fake(3000, 4) as fake:
        daemon = fake.start(nofile=64).bound()
        fake.want(700)
        fake.wait_culled(700, daemon)
        daemon.stop()
    for number in range(3, 24):
        with Fake(1000) as fake:
            # The search for leaks needs descriptors of its own.
            daemon = fake.start("--no-wait", nofile=number, env={
                "ASAN_OPTIONS": "abort_on_error=1:verify_asan_link_order=0:detect_leaks=0"})
            wait_for("an end", lambda: not daemon.alive() or daemon.count("caching in"))
            if daemon.alive():
                fake.want(240)
                wait_for("a cycle's end", lambda: not daemon.alive() or not fake.get()["culling"] or
                         daemon.count("culling stalled"))
                daemon.stop()
            elif daemon.process.returncode not in (1, 3, 127):  # 127: the loader's
                raise AssertionError("%d descriptors: exit code %d" %
                                     (number, daemon.process.returncode))


def calls_that_fail_at_times():
    """Every fifth call, and what was wanted is culled all the same."""
    for call, names in CALLS.items():
        for name in names.split():
            with Fake(1000) as fake:
                daemon = fake.start().bound()
                # These end a cycle, and the next is seconds later.
                times = 2 if name == "ENOMEM" or call in ("statfs", "syncfs") else 100
                fake.order("inject %s %d 5 %d 0" % (call, getattr(errno, name), times))
                fake.want(240)
                fake.wait_culled(240, daemon)
                daemon.stop()


def calls_that_always_fail():
    """Nothing works for a while; it is over when it is over."""
    for call, names in CALLS.items():
        for name in names.split():
            with Fake(1000) as fake:
                daemon = fake.start().bound()
                fake.order("inject %s %d 1 0 0" % (call, getattr(errno, name)))
                fake.want(240)

                def seen():
                    daemon.check_alive()
                    return daemon.count("stalled") or not fake.get()["culling"]
                wait_for("%s %s: a stall, or none" % (call, name), seen)
                at_most(len(daemon.log().splitlines()), 12, "lines of log")
                fake.order("clear")
                fake.order("release 100 800")
                fake.wait_culled(240, daemon)
                daemon.stop()


def stop_limit_at_start():
    """Under the stop limit: waits, tells, and binds when there is space."""
    with Fake(1000) as fake:
        fake.order("set used_files 1999")
        daemon = fake.start()
        daemon.wait_log("waiting")
        equal(fake.get()["ready"], 0, "bound")
        fake.order("account")
        daemon.bound().stop()


run(few_descriptors, calls_that_fail_at_times, calls_that_always_fail, stop_limit_at_start)
