# SPDX-License-Identifier: GPL-2.0-or-later
"""Freezes and remounts, on a kernel with the claim and on one without: refused and told, or let go
of and bound again by the same device."""

from fakelib import *

WATCHDOG = {"WATCHDOG_USEC": "2000000"}


def conf(fake, *lines):
    fake.write_conf("".join(line + "\n" for line in lines))


def with_claim(*lines, claim=1):
    fake = Fake()
    fake.order("set claim %d" % claim)
    conf(fake, "control none", *lines)
    return fake


def texts(fake):
    return [r.text for r in fake.records()]


def freeze(fake):
    """As the kernel does it for a freezer that waits; True if it was frozen."""
    end = time.monotonic() + 30
    while fake.order("freeze") != "ok\n":
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def thaw(fake, daemon, rebinds):
    fake.order("thaw")
    daemon.wait_log("caching again in", rebinds)
    equal(fake.get()["ready"], 1, "bound after the thaw")


def refuse_freeze():
    """Told, counted, once in ten seconds; the cache stays bound."""
    with with_claim() as fake:
        daemon = fake.start().bound()
        for _ in range(3):
            equal(fake.order("freeze"), "refused\n", "a freeze")
        daemon.wait_log("a freeze of")
        daemon.wait_log('"freeze yield"')
        time.sleep(1.5)
        equal(daemon.count("a freeze of"), 1, "messages about refused freezes")
        daemon.kill(signal.SIGUSR1)
        daemon.wait_log("refused 3 freezes, 0 remounts")
        now = fake.get()
        equal((now["unbinds"], now["ready"], now["yield_ms"]), (0, 1, 0), "unbinds, ready, yield")
        daemon.stop()


def yield_to_freeze():
    with with_claim("freeze yield 7s") as fake:
        daemon = fake.start().bound()
        equal(fake.get()["yield_ms"], 7000, "how long a freeze waits")
        for i in range(1, 4):
            equal(freeze(fake), True, "frozen")
            daemon.wait_log("let go of: a freeze", i)
            time.sleep(0.5)
            equal(fake.get()["ready"], 0, "bound while frozen")
            thaw(fake, daemon, i)
        now = fake.get()
        equal((now["opens"], now["withdrawals"], now["unbinds"]), (1, 0, 3),
              "opens, withdrawals, unbinds")
        equal(daemon.count("refused"), 0, "messages about refusals")
        equal(daemon.count("; waiting"), 0, "messages about a wait")
        daemon.stop()


def delay_grows():
    """While it is frozen the kernel is asked ever less often, and nothing is told."""
    with with_claim("freeze yield") as fake:
        daemon = fake.start().bound()
        equal(freeze(fake), True, "frozen")
        time.sleep(7)
        binds = [r for r in fake.records() if r.text == "bind" and r.result == 11]
        gaps = [(b.time_ns - a.time_ns) / 1e9 for a, b in zip(binds, binds[1:])]
        if not 4 <= len(binds) <= 8 or gaps != sorted(gaps):
            raise AssertionError("asked after %r" % gaps)
        thaw(fake, daemon, 1)
        daemon.stop()


def while_culling():
    """A cycle in hand is ended first, and the next one goes on after the thaw."""
    with Fake(2000) as fake:
        fake.order("set claim 1")
        conf(fake, "control none", "freeze yield")
        daemon = fake.start().bound()
        fake.order("forget")
        fake.order("inject cull 0 1 0 20")
        fake.want(480)
        wait_for("some culls", lambda: fake.get()["culls"] > 5)
        equal(freeze(fake), True, "frozen")
        culls = fake.get()["culls"]
        time.sleep(0.5)
        equal(fake.get()["culls"], culls, "culls while frozen")
        at_most(culls, 400, "culls before")
        fake.order("clear")
        thaw(fake, daemon, 1)
        fake.wait_culled(480, daemon)
        daemon.stop()


def died_while_yielded():
    """Killed between unbind and bind: without a keeper the device is closed, and nothing is left."""
    with with_claim("freeze yield") as fake:
        daemon = fake.start().bound()
        equal(freeze(fake), True, "frozen")
        daemon.process.kill()
        daemon.wait()
        wait_for("the last close", lambda: fake.get()["opened"] == 0)
        fake.order("thaw")
        fake.start().bound().stop()


def remount():
    for policy in ("refuse", "yield"):
        with with_claim("remount " + policy) as fake:
            daemon = fake.start().bound()
            equal(fake.order("remount ro"), "refused\n", "a remount")
            daemon.wait_log("a read-only remount of")
            if policy == "refuse":
                time.sleep(0.5)
                equal(fake.get()["ready"], 1, "bound")
                daemon.stop()
                continue
            daemon.wait_log("let go of: a read-only remount")
            equal(fake.order("remount ro"), "ok\n", "the second remount")
            # Half a minute is the remounter's, then the kernel is asked.
            daemon.wait_log("read-only; waiting")
            equal(fake.get()["ready"], 0, "bound while read-only")
            fake.order("remount rw")
            daemon.wait_log("caching again in")
            daemon.stop()


def dead_on_the_same_device():
    with with_claim() as fake:
        daemon = fake.start(env=WATCHDOG).bound()
        fake.order("die")
        daemon.wait_log("declared the cache dead")
        wait_for("the next binding", lambda: fake.get()["binds"] == 2)
        now = fake.get()
        equal((now["opens"], now["unbinds"], now["dead"]), (1, 1, 0), "opens, unbinds, dead")
        daemon.wait_log("caching in", 2)
        daemon.stop()


def unbind_fails():
    """Then the device is closed after all."""
    with with_claim("freeze yield") as fake:
        daemon = fake.start().bound()
        fake.order("inject unbind 5 1 1 0")
        equal(freeze(fake), True, "frozen")
        daemon.wait_log("does not let go")
        equal(fake.get()["withdrawals"], 1, "withdrawals")
        fake.order("thaw")
        daemon.wait_log("caching again in")
        equal(fake.get()["opens"], 2, "opens")
        daemon.stop()


def late():
    """Whoever needs longer than the freeze waits says so."""
    with with_claim("freeze yield 1s") as fake:
        daemon = fake.start().bound()
        fake.order("inject unbind 0 1 1 1500")
        equal(freeze(fake), True, "frozen")
        daemon.wait_log("longer than the freeze")
        thaw(fake, daemon, 1)
        daemon.stop()


def read_only_without_claim():
    """No kernel says no: it is seen, and the cache let go of until the filesystem is writable."""
    with with_claim(claim=0) as fake:
        daemon = fake.start(env=WATCHDOG).bound()
        fake.order("remount ro")
        daemon.wait_log("has become read-only")
        wait_for("the last close", lambda: fake.get()["opened"] == 0)
        daemon.wait_log("mounted read-only; waiting")
        fake.order("remount rw")
        daemon.wait_log("caching again in")
        now = fake.get()
        equal((now["opens"], now["withdrawals"]), (2, 1), "opens, withdrawals")
        equal(daemon.count("mounted read-only; waiting"), 1, "messages about the wait")
        daemon.stop()


def unknown_words():
    """A kernel without the claim is asked for what it does not know, and nothing comes of it."""
    with with_claim("freeze yield", claim=0) as fake:
        daemon = fake.start().bound()
        asked = [r.text for r in fake.records() if r.text in ("unbind", "yield 10000")]
        equal(asked, ["yield 10000", "unbind"], "words")
        equal(daemon.log().count("\n"), 1, "messages")
        daemon.stop()


run(refuse_freeze, yield_to_freeze, delay_grows, while_culling, died_while_yielded, remount,
    dead_on_the_same_device, unbind_fails, late, read_only_without_claim, unknown_words)
