# SPDX-License-Identifier: GPL-2.0-or-later
"""Every errno from every command: none kills the daemon, and what passes is overcome."""

import errno

from fakelib import *

ERRNOS = ("EPERM ENOENT EINTR EIO ENXIO EBADF EAGAIN ENOMEM EACCES EFAULT EBUSY EEXIST EXDEV ENODEV "
          "ENOTDIR EISDIR EINVAL ENFILE EMFILE EFBIG ENOSPC ESPIPE EROFS EMLINK ERANGE ENAMETOOLONG "
          "ELOOP EOVERFLOW EOPNOTSUPP ENOBUFS ESTALE EDQUOT EUCLEAN").split()

# At start what may pass is waited for; the rest is told and ends the start.
COMMANDS = "open brun bcull bstop frun fcull fstop tag dir bind read secctx debug".split()


def times(name):
    """EINTR is tried again for as long as it comes."""
    return 20 if name == "EINTR" else 0


def every_errno_at_start():
    with Fake() as fake:
        fake.write_conf("secctx x\ndebug 0\n")
        for word in COMMANDS:
            for name in ERRNOS:
                number = getattr(errno, name)
                fake.order("clear")
                fake.order("inject %s %d 1 %d 0" % (word, number, times(name)))
                daemon = fake.start("--no-wait")
                if name == "EINTR":
                    # Tried again, or told; what must not be is that it hangs.
                    wait_for("an end", lambda: not daemon.alive() or daemon.count("caching in"))
                    if daemon.alive():
                        daemon.stop()
                else:
                    code = daemon.wait()
                    if code not in (1, 2):
                        raise AssertionError("%s %s: exit code %d" % (word, name, code))
                    if len(daemon.log().splitlines()) == 0:
                        raise AssertionError("%s %s: not a word about it" % (word, name))
                daemon.check_sanitizers()


def bound_after_waiting():
    """What may pass: the daemon waits, and binds when it has passed."""
    for word, name, expected in (("open", "EBUSY", "in use"), ("bind", "EROFS", "read-only"),
                                 ("bind", "ENOBUFS", ""), ("bind", "EBUSY", "")):
        with Fake() as fake:
            fake.order("inject %s %d 1 2 0" % (word, getattr(errno, name)))
            daemon = fake.start().bound()
            if expected not in daemon.log() or "waiting" not in daemon.log():
                raise AssertionError("%s %s: no word of the wait" % (word, name))
            equal(daemon.count("waiting"), 1, "messages about the wait")
            daemon.stop()


def culls_that_fail_at_times():
    """Every third cull fails: the others make up for it, in one process and one binding."""
    objects, wanted = 1000, 200
    for name in ERRNOS:
        with Fake(objects) as fake:
            daemon = fake.start().bound()
            fake.order("forget")
            fake.order("inject cull %d 3 60 0" % getattr(errno, name))
            fake.want(wanted)
            fake.wait_culled(wanted, daemon)
            daemon.stop()
            equal(fake.get()["withdrawals"], 1, name + ": withdrawals (the one at the end)")


def culls_that_always_fail():
    """Nothing can be culled: said once, and no loss when it passes."""
    with Fake(1000) as fake:
        daemon = fake.start().bound()
        wanted = 0
        for name in ERRNOS:
            fake.order("forget")
            fake.order("inject cull %d 1 %d 0" % (getattr(errno, name), times(name)))
            stalls, over = daemon.count("culling stalled"), daemon.count("culling goes on")
            wanted += 1
            fake.want(240)
            if name != "EINTR":
                daemon.wait_log("culling stalled", stalls + 1)
            fake.order("clear")

            def released():
                daemon.check_alive()
                now = fake.get()
                if not now["culling"]:
                    return True
                fake.order("release 100 800")
                return False
            wait_for(name + ": the end of the demand", released)
            if name != "EINTR":
                daemon.wait_log("culling goes on", over + 1)
            equal(daemon.count("culling stalled"), stalls + (name != "EINTR"),
                  name + ": messages about it")
            equal(fake.get()["binds"], 0, name + ": bound again")
            fake.make_tree_again(240)
        daemon.stop()


def reads_that_fail():
    """The state cannot be read for a while."""
    for name in ("EIO", "ENOMEM", "EMSGSIZE", "EFAULT", "EAGAIN", "EINTR"):
        with Fake(1000) as fake:
            daemon = fake.start().bound()
            fake.order("inject read %d 1 3 0" % getattr(errno, name))
            fake.want(240)

            def seen():
                daemon.check_alive()
                return fake.get()["reads"] >= 2
            wait_for("reads", seen)
            daemon.kill(signal.SIGUSR1)
            daemon.wait_log("status:")
            at_most(fake.get()["reads"], 40, name + ": reads")
            daemon.stop()


def states_that_make_no_sense():
    for line in ("cull=2 brun=1", "junk", "cull=", "cull=0 brun=zz", "cull=1 cull=0", "=", " ",
                 "cull=1", "cull=ffffffffffffffffffff", "brun=1 bcull=2", "cull=0" + " x=1" * 100):
        with Fake(1000) as fake:
            daemon = fake.start().bound()
            fake.order("state " + line)
            fake.want(240)
            daemon.kill(signal.SIGUSR1)
            daemon.wait_log("status:")
            wait_for("a read", lambda: fake.get()["reads"] >= 2)
            daemon.check_alive()
            daemon.stop()


def kernel_without_counts():
    """Before Linux 4.11 the line lacks what was let go of."""
    with Fake(1000) as fake:
        fake.order("set without_released 1")
        daemon = fake.start().bound()
        fake.want(240)
        fake.wait_culled(240, daemon)
        daemon.stop()


run(every_errno_at_start, bound_after_waiting, culls_that_fail_at_times, culls_that_always_fail,
    reads_that_fail, states_that_make_no_sense, kernel_without_counts)
