# SPDX-License-Identifier: GPL-2.0-or-later
"""Each command of cachefilesctl against a daemon that answers as it should."""

from stub import *

ALL = (1 << 63) - 1


def show_status():
    with Stub({"GET /status": status()}) as stub:
        ended(stub.ctl("status"), 0, """\
      State: bound for 3 h
      Cache: /var/cache/fscache, tag CacheFiles, ext4 on /dev/vdb
      Space: 12.0 GiB available; culled below 5.0 GiB up to 7.0 GiB, not filled below 1.0 GiB
      Files: 1,234,567 available; culled below 50,000 up to 70,000, not filled below 10,000
    Culling: not wanted
     Culled: 41,200 files, 3.0 GiB in 12 cycles; 120 found in use, 1 denied
    Scanned: 5 min ago: 200,000 files, 12.0 GiB in 3 volumes; the oldest unused for 3 days
  Graveyard: 120 removed, 2 stuck
    Freezes: yield for at most 30 s; 2 refused
   Remounts: refuse; 1 refused
    Refused: 2 h ago: a freeze was refused
             set "freeze yield"
Since start: yields 3, rebinds 2, deaths of the cache 1
     Kernel: refuses freezes and remounts while the cache is bound, and can unbind it
    Version: 1.0.0
""")
        equal(stub.requests, [("GET /status", None)], "requests")


def show_status_of_another_kind():
    cases = [
        (dict(stalled="41,200 of 41,800 candidates in use"),
         "Culling: stalled: 41,200 of 41,800 candidates in use\n"),
        (dict(cull__running=True, cull__wanted_bytes=40 << 20),
         "Culling: cycle 12, so far 100 files, 5.0 MiB; of 40.0 MiB\n"),
        (dict(cull__running=True, cull__wanted_files=ALL, cull__wanted_bytes=ALL),
         "Culling: cycle 12, so far 100 files, 5.0 MiB\n"),
        (dict(cull__enabled=False), "Culling: off\n"),
        (dict(state="waiting", waiting="/x: no such directory"),
         "State: waiting for 3 h: /x: no such directory\n"),
        (dict(blocked=True), "State: bound for 3 h; the filesystem makes the daemon wait"),
        (dict(kernel__claim=False), "Kernel: does not tell of freezes beforehand"),
        (dict(kernel__claim=None), "Kernel: not known before the cache was bound\n"),
        (dict(policy__freeze="refuse"), "Freezes: refuse; 2 refused\n"),
        (dict(since=NOW + 100), "State: bound for 0 s\n"),
        (dict(state="\x1b[31mred\u009b0m"), "State: \\x1b[31mred\\xc2\\x9b0m for 3 h\n"),
    ]
    for changes, line in cases:
        with Stub({"GET /status": status(**changes)}) as stub:
            has(ended(stub.ctl("status"), 0, None).out, line)
    for changes, line in ((dict(free=None), "Space: culled below 5.0 GiB"),
                          (dict(limits__frun=0), "Culling: not wanted")):
        with Stub({"GET /status": status(**changes)}) as stub:
            out = ended(stub.ctl("status"), 0, None).out
            has(out, line)
            lacks(out, "Files: 1" if "free" in changes else "Files:")


def show_status_of_little():
    """Members may be missing, or of another kind: each is left out or said to be unknown."""
    for answer in ({}, {"limits": 5, "since": "x", "cull": [], "policy": None, "refused": {"last": 1},
                        "free": {"bytes": -5}, "dir": 7}):
        with Stub({"GET /status": (200, answer)}) as stub:
            has(ended(stub.ctl("status"), 0, None).out, "State: unknown", "Cache: unknown, tag",
                "Version: unknown\n")


def show_json():
    with Stub({"GET /status": status(), "GET /volumes": (200, VOLUMES)}) as stub:
        equal(json.loads(ended(stub.ctl("status", "--json"), 0, None).out), STATUS, "status")
        equal(json.loads(ended(stub.ctl("-j", "volumes"), 0, None).out), VOLUMES, "volumes")


def show_volumes():
    with Stub({"GET /volumes": (200, VOLUMES)}) as stub:
        ended(stub.ctl("volumes"), 0, """\
VOLUME               MOUNTED FROM     SIZE OBJECTS OLDEST IN USE RULE
nfs4.2:10.0.2.2:1a:0 -             3.0 GiB  41,200 3 days yes    nfs* priority 5
cifs:nas:share       -                 0 B       0      - orphan -
Scanned 10 min ago.
""")


def show_no_volumes():
    with Stub({"GET /volumes": [(200, {"scanned_at": None, "volumes": []}),
                                (200, {"scanned_at": NOW, "volumes": []})]}) as stub:
        has(ended(stub.ctl("volumes"), 0, None).out, "The cache was not scanned yet")
        has(ended(stub.ctl("volumes"), 0, None).out, "The cache is empty.\n", "Scanned ")


def show_odd_volumes():
    """What a server named is harmless on a terminal; what is no volume is a line, not the end."""
    odd = {"scanned_at": NOW, "volumes": [
        {"name": "a\x1b[31m\u009b", "live": True, "bytes": 1 << 63}, {"key": "Ikey"}, 7, None, []]}
    with Stub({"GET /volumes": (200, odd)}) as stub:
        out = ended(stub.ctl("volumes"), 0, None).out
        lacks(out, "\x1b", "\u009b")
        has(out, "\\x1b[31m", "8.0 EiB", "Ikey ")
        equal(len(out.splitlines()), 7, "lines")


def show_many_volumes():
    many = {"scanned_at": NOW, "volumes": [
        dict(VOLUMES["volumes"][0], name="nfs4.2:10.0.2.2:%x:0" % i) for i in range(4096)]}
    with Stub({"GET /volumes": (200, many)}) as stub:
        equal(len(ended(stub.ctl("volumes"), 0, None).out.splitlines()), 4098, "lines")


def cull_and_wait():
    steps = [status(cull__cycle=12), status(cull__cycle=13, cull__running=True),
             status(cull__cycle=13, cull__running=True, cull__culled_bytes=400 << 20),
             status(cull__cycle=13, cull__culled_bytes=500 << 20, cull__culled_files=1234)]
    with Stub({"POST /cull": (202, {"cycle": 13}), "GET /status": steps}) as stub:
        ended(stub.ctl("cull", "--bytes", "500M", "--volume", "nfs*"), 0,
              "Culled 1,234 files, 500.0 MiB; 3 in use were left alone.\n")
        equal(stub.requests[0], ("POST /cull", {"bytes": 500 << 20, "volume": "nfs*"}), "order")
        equal(len(stub.requests), 5, "requests")


def cull_orders():
    cases = [(["--files", "12"], {"files": 12}), (["--all"], {"all": True}),
             (["--volume", "x*"], {"volume": "x*"}), (["--orphans"], {"orphans": True}),
             (["--older-than", "7d", "--bytes", "16777215T"],
              {"older_than": 604800, "bytes": 16777215 << 40})]
    for arguments, wanted in cases:
        with Stub({"POST /cull": (202, {"cycle": 3})}) as stub:
            has(ended(stub.ctl("cull", "--no-wait", *arguments), 0, None).out, "Cull cycle 3 begins")
            equal(stub.requests, [("POST /cull", wanted)], "requests")


def cull_json():
    with Stub({"POST /cull": (202, {"cycle": 12}), "GET /status": status()}) as stub:
        equal(json.loads(ended(stub.ctl("cull", "--all", "-j"), 0, None).out), STATUS["cull"],
              "answer")
        equal(json.loads(ended(stub.ctl("cull", "--all", "-j", "--no-wait"), 0, None).out),
              {"cycle": 12}, "answer")


def cull_less():
    with Stub({"POST /cull": (202, {"cycle": 12}),
               "GET /status": status(stalled="3 of 103 candidates in use")}) as stub:
        ended(stub.ctl("cull", "--files", "101"), 4, None,
              "cachefilesctl: that is less than was asked for: 3 of 103 candidates in use\n")
        ended(stub.ctl("cull", "--files", "100"), 0, None)
        ended(stub.ctl("cull", "--bytes", "6M"), 4, None, None)
        ended(stub.ctl("cull", "--bytes", "5M"), 0, None)


def cull_overtaken():
    with Stub({"POST /cull": (202, {"cycle": 11}), "GET /status": status()}) as stub:
        has(ended(stub.ctl("cull", "--files", "101"), 0, "", None).err, "the next one began")


def cull_never_begins():
    with Stub({"POST /cull": (202, {"cycle": 13}),
               "GET /status": [status(cull__ordered=True),
                               status(cull__ordered=False, state="yielded")]}) as stub:
        ended(stub.ctl("cull", "--all"), 4, "",
              "cachefilesctl: nothing was culled: the cache is yielded\n")


def cull_daemon_dies():
    def last_words(stub):
        stub.die()
        return status(cull__running=True)
    with Stub({"POST /cull": (202, {"cycle": 12}), "GET /status": last_words}) as stub:
        has(ended(stub.ctl("cull", "--all"), 1, "", None).err, "cachefilesd does not run")


def cull_on_terminal():
    steps = [status(cull__running=True, cull__wanted_bytes=10 << 20),
             status(cull__running=True, cull__wanted_bytes=10 << 20, cull__wanted_files=1000),
             status(cull__running=True, cull__wanted_bytes=1),
             status(cull__running=True, cull__wanted_files=ALL, cull__wanted_bytes=ALL), status()]
    with Stub({"POST /cull": (202, {"cycle": 12}), "GET /status": steps}) as stub:
        result = ctl_on_terminal("--socket", stub.path, "cull", "--all")
        equal(result.code, 0, "exit code")
        has(result.out, "\r[####################....................]  50% 100 files, 5.0 MiB",
            "\r[####....................................]  10% 100 files",
            "\r[########################################] 100% 100 files", "\r100 files, 5.0 MiB",
            "\r\x1b[KCulled 100 files, 5.0 MiB; 3 in use were left alone.\n")


def volumes_on_terminal():
    """The table is as wide as the terminal at most."""
    wide = with_members(VOLUMES, {})
    wide["volumes"][0]["name"] = "x" * 300
    with Stub({"GET /volumes": (200, wide)}) as stub:
        result = ctl_on_terminal("--socket", stub.path, "volumes")
        equal(result.code, 0, "exit code")
        lacks(result.out, "x" * 80)
        has(result.out, "3.0 GiB")


def yield_and_resume():
    with Stub({"POST /yield": (200, {"state": "yielded"}), "POST /resume": (200, {"state": "binding"}),
               "GET /status": [status(state="yielded"), status(state="binding"), status()]}) as stub:
        ended(stub.ctl("yield", "--for", "10m"), 0, "The cache is let go of: its filesystem can be "
              "frozen, remounted, unmounted.\n")
        ended(stub.ctl("resume"), 0, "The cache is bound.\n")
        equal([r for r in stub.requests if r[0].startswith("POST")],
              [("POST /yield", {"for": 600}), ("POST /resume", None)], "orders")


def yield_takes_long():
    with Stub({"POST /yield": (202, {"state": "yielding"}),
               "GET /status": [status(state="yielding"), status(state="yielding"),
                               status(state="yielded")]}) as stub:
        answer = json.loads(ended(stub.ctl("yield", "-j"), 0, None).out)
        equal(answer, {"state": "yielded", "waiting": None}, "answer")
        equal(stub.requests[0], ("POST /yield", {}), "order")


def yield_in_vain():
    with Stub({"POST /yield": (202, {"state": "yielding"}),
               "GET /status": [status(state="yielding"), status()]}) as stub:
        ended(stub.ctl("yield"), 4, "", "cachefilesctl: the cache is bound\n")


def resume_in_vain():
    with Stub({"POST /resume": (200, {"state": "binding"}),
               "GET /status": status(state="waiting", waiting="/x is read-only")}) as stub:
        before = time.monotonic()
        ended(stub.ctl("resume"), 4, "", "cachefilesctl: the cache is waiting: /x is read-only\n")
        if time.monotonic() - before < 5:
            raise AssertionError("it was given up at once")


def reload():
    with Stub({"POST /reload": [(200, {}), (200, {"needs_restart": []}),
                                (200, {"needs_restart": ["dir", "brun"]}), (200, {"needs_restart": [7]})]}) as stub:
        for more in ("", "", "A change of these takes effect with a restart: dir brun\n"):
            ended(stub.ctl("reload"), 0, "The configuration is read again.\n" + more)
        equal(json.loads(ended(stub.ctl("reload", "-j"), 0, None).out),
              {"needs_restart": [7]}, "answer")


def reload_refused():
    problems = ["/etc/x:2: dir: \x1b", "/etc/x:3: unknown directive"]
    with Stub({"POST /reload": (422, {"error": "the configuration has problems",
                                      "problems": problems})}) as stub:
        ended(stub.ctl("reload"), 2, "", "cachefilesctl: the configuration has problems\n"
              "/etc/x:2: dir: \\x1b\n/etc/x:3: unknown directive\n")
        equal(json.loads(ended(stub.ctl("reload", "-j"), 2, None, None).out)["problems"], problems,
              "problems")


def check():
    """The daemon itself does it, with what it is given, and its exit code is ours."""
    with tempfile.TemporaryDirectory() as place:
        daemon = place + "/daemon"
        with open(daemon, "w") as f:
            f.write("#!/bin/sh\nprintf '<%s>' \"$@\"\nexit 2\n")
        has(ended(ctl("check", env={"CACHEFILESD": daemon}), 1, "", None).err, "cannot run " + daemon
            ) if os.geteuid() else None
        os.chmod(daemon, 0o755)
        ended(ctl("check", env={"CACHEFILESD": daemon}), 2, "<-t>")
        ended(ctl("check", "-c", "a b", env={"CACHEFILESD": daemon}), 2, "<-t><-c><a b>")
        ended(ctl("check", env={"CACHEFILESD": place + "/none"}), 1, "",
              "cachefilesctl: cannot run %s/none: No such file or directory\n" % place)


run(show_status, show_status_of_another_kind, show_status_of_little, show_json, show_volumes,
    show_no_volumes, show_odd_volumes, show_many_volumes, cull_and_wait, cull_orders, cull_json,
    cull_less, cull_overtaken, cull_never_begins, cull_daemon_dies, cull_on_terminal, volumes_on_terminal,
    yield_and_resume, yield_takes_long, yield_in_vain, resume_in_vain, reload, reload_refused, check)
