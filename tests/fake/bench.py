#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our daemon beside Debian's cachefilesd 0.10.10 and beside bare loops, on the fake kernel.

    FAKE_BUILD=BUILD/tests/fake DAEMON=BUILD/cachefilesd/cachefilesd tests/fake/bench.py \\
        [OBJECTS [PERCENT [VOLUMES [RUNS [ROW,ROW...]]]]]

A tree of OBJECTS empty files in so many volumes, PERCENT of which are wanted back, warm. CPU
seconds of the process from its start to the end of the demand, unlinks included; medians of RUNS.
System calls and what was culled are those of one more run under strace, in which the fake kernel's
own two for each cull (a look and the unlink) count as the one write that a real kernel sees. The
old daemon comes from its Debian package, or from the path in OLD_DAEMON.
"""

import statistics
import sys
import tempfile

from fakelib import *


def argument(n, default):
    return int(sys.argv[n]) if len(sys.argv) > n else default


OBJECTS, PERCENT, VOLUMES, RUNS = (argument(1, 200000), argument(2, 20), argument(3, 1),
                                   argument(4, 3))
WANTED = OBJECTS * PERCENT // 100
HOURS = 4 * 3600
# In an order that the kernel takes.
LIMITS = "frun 98% fcull 49% fstop 10% frun 50%".split()


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
    """Calls by name, and all of them."""
    calls = {}
    with open(path) as f:
        for line in f:
            fields = line.split()
            if len(fields) >= 4 and re.match(r"[\d.]+$", fields[0]):
                calls[fields[-1]] = int(fields[3])
    calls.pop("total", None)
    return calls, sum(calls.values())


def prepared(fake, log):
    """A tree whose demand is in place; warm."""
    for key in ("guard", "log_cwd"):
        fake.order("set %s 0" % key)
    fake.order("set log %d" % log)  # 2: culls alone
    fake.order("set total_files %d" % (OBJECTS * 10))
    subprocess.run([BUILD + "/floor", fake.cache, "stat"], check=True)


def demand(fake):
    now = fake.get()
    run_limit = now["total_files"] // 100 * 50
    fake.order("add used_files %d" % (now["free_files"] - run_limit + WANTED))


def environment(fake):
    return dict(os.environ, LD_PRELOAD=BUILD + "/libfakedev.so", CACHEFILES_FAKE=fake.state)


def finished(command, env=None):
    """CPU seconds and peak of a process that ends by itself."""
    pid = os.spawnve(os.P_NOWAIT, command[0], command, env or os.environ)
    _, status, usage = os.wait4(pid, 0)
    if status:
        raise AssertionError("%s: status %d" % (command, status))
    return {"cpu": usage.ru_utime + usage.ru_stime, "peak": usage.ru_maxrss / 1024, "culls": 0}


def measure_loop(command, trace):
    """A loop of floor.c, find or du on a tree of its own."""
    with Fake(OBJECTS, VOLUMES, records=OBJECTS) as fake:
        prepared(fake, trace * 2)
        command = [word.replace("CACHE", fake.cache) for word in command]
        env = None
        if command[2] == "reference":
            demand(fake)
            env = environment(fake)
        if not trace:
            return finished(command, env)
        summary = os.path.join(fake.place, "strace")
        subprocess.run(["strace", "-f", "-c", "-o", summary] +
                       (["-E", "LD_PRELOAD=" + env["LD_PRELOAD"], "-E",
                         "CACHEFILES_FAKE=" + fake.state] if env else []) + command,
                       check=True, stdout=subprocess.DEVNULL)
        return looked_at(fake, summary, env is not None)


def looked_at(fake, summary, culls):
    calls, total = traced(summary)
    result = {"calls": 0, "scans": calls.get("getdents64", 0) / (VOLUMES * 2 * 257 + 2)}
    if culls:
        culled = fake.culled()
        limit = FIRST * 1000000000 + len(culled) * STEP
        result["misplaced"] = sum(age >= limit for age in culled) / len(culled)
        result["calls"] = total / len(culled) - 1
        walked = calls.get("getdents64", 0) + OBJECTS * result["scans"]
        result["cull calls"] = (total - walked) / len(culled) - 1
    return result


def measure_daemon(binary, more, trace):
    with Fake(OBJECTS, VOLUMES, records=OBJECTS) as fake:
        prepared(fake, trace * 2)
        fake.write_conf(more, ours=binary == DAEMON, frun=50, fcull=49, fstop=10)
        wrapper = os.path.join(fake.place, "wrapper")
        summary = os.path.join(fake.place, "strace")
        if trace:
            # The shim is for the daemon, not for strace.
            with open(wrapper, "w") as f:
                f.write('#!/bin/sh\nshim=$LD_PRELOAD\nunset LD_PRELOAD\nexec strace -f -c -o %s '
                        '-E LD_PRELOAD="$shim" %s "$@"\n' % (summary, binary))
            os.chmod(wrapper, 0o755)
        daemon = fake.start(binary=wrapper if trace else binary)
        wait_for("a bound cache", lambda: fake.get()["ready"], HOURS)
        demand(fake)
        wait_for("the end of the demand", lambda: not fake.get()["culling"], HOURS)
        result = {}
        if trace:
            child = int(subprocess.check_output(["pgrep", "-P", str(daemon.pid)]).split()[0])
            os.kill(child, signal.SIGTERM)
            daemon.process.wait()
            result = looked_at(fake, summary, True)
        else:
            result["cpu"], result["peak"] = cpu(daemon.pid), peak(daemon.pid)
            daemon.kill(signal.SIGTERM)
            daemon.process.wait()
            first = re.search(r"first cull after (\d+) ms", daemon.log())
            result["first"] = int(first.group(1)) if first else 0
        return result


def rows(old):
    floor = BUILD + "/floor"
    return {
        "ours": ("ours", lambda trace: measure_daemon(DAEMON, "", trace)),
        "list": ("getdents64 alone",
                 lambda trace: measure_loop([floor, "CACHE", "list"], trace)),
        "stat": ("getdents64 and statx",
                 lambda trace: measure_loop([floor, "CACHE", "stat"], trace)),
        "unlink": ("the same, and unlink of the victims",
                   lambda trace: measure_loop([floor, "CACHE", "unlink", str(WANTED)], trace)),
        "reference": ("plain reference",
                      lambda trace: measure_loop(
                          [floor, "CACHE", "reference"] + LIMITS, trace)),
        "find": ("find -printf %A@", lambda trace: measure_loop(
            ["/usr/bin/find", "CACHE/cache", "-fprintf", "/dev/null", "%A@\n"], trace)),
        "du": ("du -s", lambda trace: measure_loop(["/usr/bin/du", "-s", "CACHE/cache"], trace)),
        "old12": ("0.10.10, culltable 12",
                  lambda trace: measure_daemon(old(), "culltable 12\n", trace)),
        "old20": ("0.10.10, culltable 20",
                  lambda trace: measure_daemon(old(), "culltable 20\n", trace)),
    }


def show(result, key, form):
    return form % result[key] if key in result else "–"


def main():
    cached = []

    def old():
        if not cached:
            cached.append(old_daemon())
        return cached[0]

    table = rows(old)
    chosen = sys.argv[5].split(",") if len(sys.argv) > 5 else list(table)
    base = None
    print("%d objects in %d volume%s, %d %% wanted back, medians of %d; %s, Linux %s\n" %
          (OBJECTS, VOLUMES, "" if VOLUMES == 1 else "s", PERCENT, RUNS,
           time.strftime("%Y-%m-%d", time.gmtime()), os.uname().release))
    print("| | CPU s | against ours | peak RSS | system calls a cull | without those of the scans | "
          "scans | misplaced |")
    print("|---|---|---|---|---|---|---|---|")
    for key in chosen:
        name, run_once = table[key]
        runs = [run_once(0) for _ in range(RUNS)]
        trace = run_once(1)
        seconds = statistics.median(r["cpu"] for r in runs)
        base = base or seconds
        print("| %s | %.2f (%.2f–%.2f) | %.1f× | %.0f MiB | %s | %s | %.1f | %s |" %
              (name, seconds, min(r["cpu"] for r in runs), max(r["cpu"] for r in runs),
               seconds / base, statistics.median(r["peak"] for r in runs),
               show(trace, "calls", "%.1f") if trace.get("calls") else "–",
               show(trace, "cull calls", "%.1f"), trace["scans"],
               "%.2f %%" % (trace["misplaced"] * 100) if "misplaced" in trace else "–"),
              flush=True)


main()
