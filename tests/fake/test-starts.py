# SPDX-License-Identifier: GPL-2.0-or-later
"""Three hundred starts and stops: none aborts, each has its limits in the kernel."""

import random

from fakelib import *


def three_hundred():
    random.seed(1)
    with Fake() as fake:
        for _ in range(300):
            limits = {}
            for kind in "bf":
                stop, cull, run_limit = sorted(random.sample(range(100), 3))
                limits.update({kind + "run": run_limit, kind + "cull": cull, kind + "stop": stop})
            order = list(limits.items())
            random.shuffle(order)
            fake.write_conf(**dict(order))
            daemon = fake.start().bound()
            now = fake.get()
            equal({key: now[key] for key in limits}, limits, "limits")
            daemon.stop(random.choice((signal.SIGTERM, signal.SIGINT)))
            fake.daemons.clear()
        now = fake.get()
        equal((now["binds"], now["withdrawals"], now["opens"]), (300, 300, 300), "binds")
        # it is asked for one word that this kernel does not know
        refused = [r for r in fake.records() if r.result and r.text != "unbind"]
        equal(refused, [], "commands refused")


def killed():
    """A killed one leaves the device to the next."""
    with Fake() as fake:
        for _ in range(20):
            daemon = fake.start().bound()
            daemon.kill(signal.SIGKILL)
            equal(daemon.wait(), -signal.SIGKILL, "exit code")
        fake.start().bound().stop()
        equal(fake.get()["withdrawals"], 21, "withdrawals")


def stopped_at_once():
    """A stop that comes at any moment of the start."""
    with Fake() as fake:
        for i in range(40):
            daemon = fake.start()
            time.sleep(i * 0.003)
            daemon.kill(signal.SIGTERM)
            code = daemon.wait()
            if code not in (0, -signal.SIGTERM):  # before the handler is there
                raise AssertionError("exit code %d" % code)
            daemon.check_sanitizers()
        wait_for("the last close", lambda: fake.get()["opened"] == 0)


def no_directory():
    """A cache that is not there is waited for, and said so."""
    with Fake() as fake:
        os.rename(fake.cache, fake.cache + ".away")
        daemon = fake.start()
        daemon.wait_log("is not there (yet); waiting")
        os.rename(fake.cache + ".away", fake.cache)
        daemon.bound().stop()


run(three_hundred, killed, stopped_at_once, no_directory)
