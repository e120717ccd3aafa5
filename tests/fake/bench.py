#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our daemon beside Debian's cachefilesd 0.10.10, both on the fake kernel.

    FAKE_BUILD=BUILD/tests/fake DAEMON=BUILD/cachefilesd/cachefilesd tests/fake/bench.py \\
        [OBJECTS [PERCENT [RUNS]]]

Prints a table: a tree of OBJECTS empty files in one volume, of which PERCENT are wanted back; CPU
seconds of the process from its start to the end of the demand, medians of RUNS. System calls are
those of one more run under strace; the fake kernel's own two for each cull (a look and the unlink)
are counted as the one write that a real kernel sees. The old daemon comes from its Debian package,
or from the path in OLD_DAEMON.
"""

import statistics
import sys
import tempfile

from fakelib import *

OBJECTS = int(sys.argv[1]) if len(sys.argv) > 1 else 200000
PERCENT = int(sys.argv[2]) if len(sys.argv) > 2 else 20
RUNS = int(sys.argv[3]) if len(sys.argv) > 3 else 3
HOURS = 4 * 3600


def old_daemon():
    path = os.environ.get("OLD_DAEMON")
    if path:
        return path
    place = tempfile.mkdtemp(prefix="cachefilesd-old-")
    subprocess.run(["apt-get", "download", "-qq", "cachefilesd"], cwd=place, check=True)
    package = glob.glob(place + "/*.deb")[0]
    subprocess.run(["dpkg", "-x", package, place], check=True)
    return place + "/sbin/cachefilesd"


def cpu(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def peak(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"VmHWM:\s*(\d+)", f.read()).group(1)) / 1024


def traced(path):
    """All calls, and those that read directories."""
    total = listings = 0
    with open(path) as f:
        for line in f:
            fields = line.split()
            if len(fields) >= 4 and fields[-1] == "getdents64":
                listings = int(fields[3])
            if len(fields) >= 4 and fields[-1] == "total":
                total = int(fields[3 if len(fields) > 5 or not fields[2].isdigit() else 2])
    return total, listings


def measure(binary, more, trace):
    with Fake(OBJECTS, records=OBJECTS) as fake:
        for key in ("guard", "log_cwd"):
            fake.order("set %s 0" % key)
        fake.order("set log %d" % (trace * 2))  # culls alone
        fake.order("set total_files %d" % (OBJECTS * 10))
        fake.write_conf(more, frun=50, fcull=49, fstop=10)
        wanted = OBJECTS * PERCENT // 100
        wrapper, env = os.path.join(fake.place, "wrapper"), {}
        summary = os.path.join(fake.place, "strace")
        if trace:
            # The shim is for the daemon, not for strace.
            with open(wrapper, "w") as f:
                f.write('#!/bin/sh\nshim=$LD_PRELOAD\nunset LD_PRELOAD\nexec strace -f -c -o %s '
                        '-E LD_PRELOAD="$shim" %s "$@"\n' % (summary, binary))
            os.chmod(wrapper, 0o755)
        daemon = fake.start(binary=wrapper if trace else binary, env=env)
        wait_for("a bound cache", lambda: fake.get()["ready"], HOURS)
        started = time.monotonic()
        now = fake.get()
        run_limit = now["total_files"] // 100 * now["frun"]
        fake.order("add used_files %d" % (now["free_files"] - run_limit + wanted))
        wait_for("the end of the demand", lambda: not fake.get()["culling"], HOURS)
        wall = time.monotonic() - started
        now = fake.get()
        result = {"wall": wall, "culls": now["culls"], "scans": now["scans"] - 1}
        if trace:
            culled = fake.culled()
            limit = FIRST * 1000000000 + len(culled) * STEP
            result["misplaced"] = sum(age >= limit for age in culled) / len(culled)
            child = int(subprocess.check_output(["pgrep", "-P", str(daemon.pid)]).split()[0])
            os.kill(child, signal.SIGTERM)
            daemon.process.wait()
            calls, listings = traced(summary)
            result["calls"] = calls / now["culls"] - 1
            result["scans"] = listings / (2 * 257 + 2)
        else:
            result["cpu"] = cpu(daemon.pid)
            result["peak"] = peak(daemon.pid)
            daemon.kill(signal.SIGTERM)
            daemon.process.wait()
        return result


def main():
    old = old_daemon()
    rows = (("cachefilesd 0.10.10, culltable 12", old, "culltable 12\n"),
            ("cachefilesd 0.10.10, culltable 20", old, "culltable 20\n"),
            ("ours", DAEMON, ""))
    wanted = sys.argv[4].split(",") if len(sys.argv) > 4 else ("0", "1", "2")
    base = None
    print("%d objects in one volume, %d %% wanted back, medians of %d; %s, Linux %s\n" %
          (OBJECTS, PERCENT, RUNS, time.strftime("%Y-%m-%d", time.gmtime()), os.uname().release))
    print("| daemon | CPU s | against ours | wall s | system calls a cull, scans included | scans | "
          "misplaced victims | peak RSS |")
    print("|---|---|---|---|---|---|---|---|")
    for index in reversed(wanted):
        name, binary, more = rows[int(index)]
        runs = [measure(binary, more, 0) for _ in range(RUNS)]
        trace = measure(binary, more, 1)
        seconds = statistics.median(r["cpu"] for r in runs)
        base = base or seconds
        print("| %s | %.2f | %.1f× | %.1f | %.1f | %.1f | %.2f %% | %.0f MiB |" %
              (name, seconds, seconds / base, statistics.median(r["wall"] for r in runs),
               trace["calls"], trace["scans"], trace["misplaced"] * 100,
               statistics.median(r["peak"] for r in runs)), flush=True)


main()
