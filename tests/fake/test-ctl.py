# SPDX-License-Identifier: GPL-2.0-or-later
"""cachefilesctl and the daemon itself: what the one asks, the other understands and does."""

import json

from fakelib import *

CTL = os.environ["CTL"]


def controlled(objects=0, **more):
    fake = Fake(objects, **more)
    fake.control = fake.place + "/control"
    fake.write_conf("control %s\n" % fake.control)
    return fake


def ctl(fake, *arguments, code=0, env=()):
    """stdout and stderr; the exit code must be that one."""
    done = subprocess.run([CTL, "--socket", fake.control] + list(arguments),
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=PATIENCE,
                          env=dict(os.environ, LC_ALL="C.UTF-8", **dict(env)))
    text = done.stdout.decode()
    if done.returncode != code or "Sanitizer" in text or "runtime error" in text:
        raise AssertionError("%r: exit code %d, wanted %d\n%s" %
                             (arguments, done.returncode, code, text))
    return text


def has(text, *parts):
    for part in parts:
        if part not in text:
            raise AssertionError("%r is not in:\n%s" % (part, text))


def shows():
    with controlled(objects=1000, volumes=3) as fake:
        daemon = fake.start().bound()
        wait_for("the free space", lambda: json.loads(ctl(fake, "status", "-j"))["free"])
        has(ctl(fake, "status"), "State: bound for ", "Cache: %s, tag fake" % fake.cache,
            "Space: ", "Files: ", "Culling: not wanted", "Freezes: refuse; 0 refused",
            "Kernel: does not tell of freezes beforehand")
        table = ctl(fake, "volumes").splitlines()
        equal(len(table), 5, "lines of volumes")
        has(table[0], "VOLUME", "SIZE", "OBJECTS")
        listed = json.loads(ctl(fake, "volumes", "-j"))["volumes"]
        equal(sum(v["objects"] for v in listed), 1000, "objects")
        daemon.stop()
        has(ctl(fake, "status", code=1), "cachefilesd does not run")


def culls():
    with controlled(objects=2000, volumes=2) as fake:
        daemon = fake.start().bound()
        fake.order("forget")
        has(ctl(fake, "cull", "--files", "300"), "Culled 300 files, ")
        equal(sorted(fake.culled()), [FIRST * 1000000000 + n * STEP for n in range(300)],
              "ages of what was culled")
        fake.order("forget")
        has(ctl(fake, "cull", "--older-than", "20000d"), "Culled 0 files, 0 B")
        equal(fake.get()["culls"], 0, "culls")
        name = json.loads(ctl(fake, "volumes", "-j"))["volumes"][0]["name"]
        has(ctl(fake, "cull", "--files", "10", "--volume", name), "Culled 10 files")
        has(ctl(fake, "cull", "--files", "5000", code=4), "less than was asked for")
        has(ctl(fake, "cull", "--bytes", "4194304T", code=2), "out of range")
        daemon.stop()


def yields():
    """On a kernel with the claim and on one without."""
    for claim in (0, 1):
        with controlled() as fake:
            fake.order("set claim %d" % claim)
            daemon = fake.start().bound()
            has(ctl(fake, "yield"), "The cache is let go of")
            equal(fake.get()["ready"], 0, "bound")
            has(ctl(fake, "status"), "State: yielded for ", "by hand")
            has(ctl(fake, "cull", "--all", code=4), "not bound")
            has(ctl(fake, "resume"), "The cache is bound.")
            equal(fake.get()["ready"], 1, "bound")
            has(ctl(fake, "yield", "--for", "1"), "The cache is let go of")
            daemon.wait_log("caching again in", 2)
            daemon.stop()


def resumes_not_while_frozen():
    with controlled() as fake:
        fake.order("set claim 1")
        daemon = fake.start().bound()
        ctl(fake, "yield")
        equal(fake.order("freeze"), "ok\n", "a freeze")
        has(ctl(fake, "resume", code=4), "the cache is yielded: ")
        fake.order("thaw")
        daemon.wait_log("caching again in")
        daemon.stop()


def reloads():
    with controlled() as fake:
        daemon = fake.start().bound()
        equal(ctl(fake, "reload"), "The configuration is read again.\n", "reload")
        fake.write_conf("control %s\n" % fake.control, brun=50)
        has(ctl(fake, "reload"), "takes effect with a restart: brun\n")
        fake.write_conf("nonsense\n")
        has(ctl(fake, "reload", code=2), "has problems\n%s:" % fake.conf)
        has(ctl(fake, "check", "-c", fake.conf, code=2, env={"CACHEFILESD": DAEMON}), fake.conf + ":")
        fake.write_conf()
        has(ctl(fake, "check", "-c", fake.conf, env={"CACHEFILESD": DAEMON}), "valid; ")
        daemon.stop()


def hook():
    """The guest agent's hook with the real ones on both sides."""
    with controlled() as fake:
        daemon = fake.start().bound()
        with open(fake.place + "/cachefilesctl", "w") as f:
            f.write("#!/bin/sh\nexec %s --socket %s \"$@\"\n" % (CTL, fake.control))
        os.chmod(fake.place + "/cachefilesctl", 0o755)
        for word, ready in (("freeze", 0), ("thaw", 1), ("thaw", 1)):
            done = subprocess.run(
                [os.environ["HOOK"], word], timeout=PATIENCE, stdin=subprocess.DEVNULL,
                env=dict(os.environ, PATH=fake.place + ":" + os.environ["PATH"],
                         CACHEFILESD_FSFREEZE_MARK=fake.place + "/mark"))
            equal((done.returncode, fake.get()["ready"]), (0, ready), word)
        equal(json.loads(ctl(fake, "status", "-j"))["yields"], 1, "yields")
        daemon.stop()


run(shows, culls, yields, resumes_not_while_frozen, reloads, hook)
