# SPDX-License-Identifier: GPL-2.0-or-later
"""Quotas and rules: culled without the kernel's asking, and no more than they say."""

from fakelib import *

# A look comes with every tick of the watchdog, which is half of that.
WATCHDOG = {"WATCHDOG_USEC": "1000000"}


def ages(numbers):
    return [FIRST * 1000000000 + n * STEP for n in numbers]


def volume_of(path):
    return path.split("/")[-3]


def max_files():
    """Down to a little below, of the oldest; then nothing more until it is exceeded again."""
    with Fake(2000) as fake:
        fake.write_conf("max_files 1000\n")
        daemon = fake.start(env=WATCHDOG).bound()
        left = 1000 - 1000 // 32
        wait_for("the quota", lambda: fake.get()["culls"] == 2000 - left)
        daemon.wait_log("culled %d files" % (2000 - left))
        fake.order("forget")
        time.sleep(3)
        now = fake.get()
        equal((now["culls"], now["scans"]), (0, 0), "culls and scans within the quota")
        equal(len(glob.glob(fake.cache + "/cache/*/*/*")), left, "objects left")
        daemon.stop()


def oldest_go():
    with Fake(2000) as fake:
        fake.write_conf("max_files 1000\n")
        daemon = fake.start(env=WATCHDOG).bound()
        wait_for("the quota", lambda: fake.get()["culls"] == 1031)
        daemon.stop()
        equal(sorted(fake.culled()), ages(range(1031)), "ages of what was culled")


def pinned_stay():
    """All of one volume stays, although the half of it is older than the rest."""
    with Fake(2000, volumes=2) as fake:
        fake.write_conf("max_files 500\nvolume nfs3.0:1.0.0.0:* pin\n")
        daemon = fake.start(env=WATCHDOG).bound()
        wait_for("the other volume", lambda: fake.get()["culls"] == 1000)
        daemon.wait_log("a quota cannot be kept")
        time.sleep(2)
        fake.order("forget")
        time.sleep(3)
        equal(fake.get()["scans"], 0, "scans for what cannot be had")
        left = glob.glob(fake.cache + "/cache/*/*/*")
        equal(len(left), 1000, "objects left")
        equal({volume_of(path) for path in left}, {"Infs,3.0,2,,1,aaaaaaaa,,,d0,100000"},
              "volumes left")
        daemon.stop()


def volume_has_its_own():
    """A volume that is too large loses its oldest, the other one nothing."""
    with Fake(1200, volumes=2, size=8192) as fake:
        fake.write_conf("volume nfs3.0:0.0.0.0:* max_size 2M\n")
        daemon = fake.start(env=WATCHDOG).bound()
        # 600 objects of 8 KiB; 2 MiB less a 32nd are 248.
        wait_for("the volume's quota", lambda: fake.get()["culls"] == 600 - 248)
        time.sleep(2)
        left = [volume_of(path) for path in glob.glob(fake.cache + "/cache/*/*/*")]
        equal(left.count("Infs,3.0,2,,0,aaaaaaaa,,,d0,100000"), 248, "objects of that volume")
        equal(len(left), 600 + 248, "all objects")
        daemon.stop()


def max_age():
    """What is older goes: objects of 2017, and those of this year stay."""
    with Fake(500) as fake:
        fresh = glob.glob(fake.cache + "/cache/*/*/*")[:100]
        for path in fresh:
            os.utime(path, ns=(time.time_ns(), time.time_ns()))
        fake.write_conf("max_age 1w\n")
        daemon = fake.start(env=WATCHDOG).bound()
        wait_for("the old ones", lambda: fake.get()["culls"] == 400)
        time.sleep(2)
        equal(sorted(glob.glob(fake.cache + "/cache/*/*/*")), sorted(fresh), "what is left")
        daemon.stop()


def reload():
    """A quota that comes with a reload is kept from then on."""
    with Fake(1000) as fake:
        daemon = fake.start(env=WATCHDOG).bound()
        time.sleep(2)
        equal(fake.get()["culls"], 0, "culls without a quota")
        fake.write_conf("max_files 500\n")
        daemon.kill(signal.SIGHUP)
        wait_for("the quota", lambda: fake.get()["culls"] == 1000 - (500 - 15))
        daemon.stop()


def nocull():
    with Fake(1000) as fake:
        fake.write_conf("max_files 500\n")
        daemon = fake.start("-N", env=WATCHDOG).bound()
        fake.order("forget")
        time.sleep(3)
        now = fake.get()
        equal((now["culls"], now["scans"]), (0, 0), "culls and scans")
        daemon.stop()


run(max_files, oldest_go, pinned_stay, volume_has_its_own, max_age, reload, nocull)
