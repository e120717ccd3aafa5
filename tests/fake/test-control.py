# SPDX-License-Identifier: GPL-2.0-or-later
"""The control socket and the metrics: what is answered, to whom, and what clients may cost."""

import http.client
import json

from fakelib import *

NOBODY = 65534


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(60)
        self.sock.connect(self.path)


def ask(fake, method, path, body=None, headers={}, where=None):
    c = Connection(where or fake.control)
    c.request(method, path, body=json.dumps(body) if isinstance(body, dict) else body,
              headers=headers)
    answer = c.getresponse()
    text = answer.read().decode()
    c.close()
    if answer.getheader("Content-Type") == "application/json":
        text = json.loads(text)
    return answer.status, text


def controlled(*lines, objects=0):
    fake = Fake(objects)
    fake.control = fake.place + "/run/control"  # its directory is not there
    os.chmod(fake.place, 0o755)
    fake.write_conf("".join(line + "\n" for line in ("control " + fake.control,) + lines))
    return fake


def status_of(fake):
    code, status = ask(fake, "GET", "/status")
    equal(code, 200, "/status")
    return status


def state_is(fake, state):
    wait_for("the state " + state, lambda: status_of(fake)["state"] == state)


def status():
    with controlled(objects=1000) as fake:
        daemon = fake.start().bound()
        s = status_of(fake)
        equal((s["state"], s["dir"], s["tag"], s["waiting"]), ("bound", fake.cache, "fake", None),
              "state, dir, tag, waiting")
        equal(s["kernel"], {"claim": False, "unbind": False, "frzref": 0, "roref": 0}, "kernel")
        equal(s["policy"], {"freeze": "refuse", "yield_seconds": 10, "remount": "refuse"}, "policy")
        wait_for("the free space", lambda: status_of(fake)["free"])
        now, s = fake.get(), status_of(fake)
        equal(s["free"]["files"], now["free_files"], "free files")
        equal(s["limits"]["frun"], now["total_files"] // 100 * 30, "limit frun")
        equal(s["limits"]["brun"], now["total_blocks"] // 100 * 7 * 4096, "limit brun")
        code, volumes = ask(fake, "GET", "/volumes")
        equal((code, len(volumes["volumes"])), (200, 1), "volumes")
        equal(volumes["volumes"][0]["objects"], 1000, "objects")
        fake.want(240)
        fake.wait_culled(240, daemon)
        wait_for("the sums", lambda: status_of(fake)["totals"]["culled_files"] == 240)
        daemon.stop()
        equal(os.path.exists(fake.control), False, "socket left behind")


def orders():
    with controlled(objects=1000) as fake:
        daemon = fake.start().bound()
        fake.order("forget")
        code, answer = ask(fake, "POST", "/cull", {"files": 100})
        equal(code, 202, "POST /cull")
        wait_for("the culls", lambda: fake.get()["culls"] == 100)
        state_is(fake, "bound")
        for body in ({}, {"files": -1}, {"files": "1"}, {"file": 1}, {"all": 1},
                     {"volume": "x" * 300}, {"files": 1 << 62}, "[]", "{", "{}{}", "null", "7",
                     '{"files":1}x', "\0", '{"volume":"a\\u0000b"}', "[" * 10000):
            code, answer = ask(fake, "POST", "/cull", body)
            equal(code, 400, "POST /cull %.40r" % (body,))
            if not answer["error"]:
                raise AssertionError("no reason")
        for body in ({"for": "x"}, {"for": -1}, {"until": 1}):
            equal(ask(fake, "POST", "/yield", body)[0], 400, "POST /yield %r" % body)
        for method, path, wanted in (("GET", "/", 404), ("GET", "/statu", 404),
                                     ("GET", "/status/", 404), ("POST", "/status", 405),
                                     ("GET", "/cull", 405), ("DELETE", "/status", 405),
                                     ("GET", "/status?x=1", 200)):
            equal(ask(fake, method, path)[0], wanted, method + " " + path)
        equal(fake.get()["culls"], 100, "culls")
        daemon.stop()


def yields():
    """By hand, on a kernel with the claim and on one without."""
    for claim in (0, 1):
        with controlled() as fake:
            fake.order("set claim %d" % claim)
            daemon = fake.start().bound()
            for i in range(1, 4):
                code, answer = ask(fake, "POST", "/yield")
                equal((code, answer), (200, {"state": "yielded"}), "POST /yield")
                now = fake.get()
                equal((now["ready"], now["opened"]), (0, claim), "bound, opened")
                equal(fake.order("freeze"), "ok\n", "a freeze")
                equal(ask(fake, "POST", "/yield")[0], 200, "a second POST /yield")
                s = status_of(fake)
                equal((s["state"], s["yields"]), ("yielded", i), "state and yields")
                if "by hand" not in s["waiting"]:
                    raise AssertionError(s["waiting"])
                equal(ask(fake, "POST", "/cull", {"all": True})[0], 409, "a cull while yielded")
                fake.order("thaw")
                equal(ask(fake, "POST", "/resume")[0], 200, "POST /resume")
                daemon.wait_log("caching again in", i)
                state_is(fake, "bound")
            # resumed while it is frozen still: asked again until the thaw
            if claim:
                ask(fake, "POST", "/yield")
                fake.order("freeze")
                ask(fake, "POST", "/resume")
                time.sleep(1)
                equal(status_of(fake)["state"], "yielded", "state while frozen")
                fake.order("thaw")
                daemon.wait_log("caching again in", 4)
            equal(ask(fake, "POST", "/yield", {"for": 1})[0], 200, "POST /yield for a second")
            daemon.wait_log("caching again in", 4 + claim)
            equal(ask(fake, "POST", "/resume")[0], 200, "POST /resume for nothing")
            now = fake.get()
            equal((now["opens"], now["withdrawals"]), (1, 0) if claim else (5, 4),
                  "opens, withdrawals")
            # while it is stopped
            ask(fake, "POST", "/yield")
            daemon.stop()


def another_filesystem():
    """What is there when it is to resume is not what it was: waited for, nothing written to it."""
    for claim in (0, 1):
        with controlled() as fake:
            fake.order("set claim %d" % claim)
            daemon = fake.start().bound()
            ask(fake, "POST", "/yield")
            os.rename(fake.cache, fake.cache + ".away")
            os.symlink("/proc", fake.cache)
            ask(fake, "POST", "/resume")
            daemon.wait_log("is on another filesystem than the cache was")
            state_is(fake, "waiting")
            os.unlink(fake.cache)
            os.rename(fake.cache + ".away", fake.cache)
            daemon.wait_log("caching again in")
            state_is(fake, "bound")
            daemon.stop()


def yields_while_binding():
    """An attempt in hand when it is let go of again, that fails: it stays let go of."""
    with controlled() as fake:
        daemon = fake.start().bound()
        ask(fake, "POST", "/yield")
        fake.order("inject bind 5 1 1 3000")
        ask(fake, "POST", "/resume")
        equal(ask(fake, "POST", "/yield"), (200, {"state": "yielded"}), "POST /yield")
        if "by hand" not in status_of(fake)["waiting"]:
            raise AssertionError(status_of(fake)["waiting"])
        ask(fake, "POST", "/resume")
        daemon.wait_log("caching again in")
        state_is(fake, "bound")
        daemon.stop()


def reload():
    with controlled("remount refuse") as fake:
        daemon = fake.start().bound()
        equal(ask(fake, "POST", "/reload"), (200, {"needs_restart": []}), "POST /reload")
        fake.write_conf("control %s\nremount yield\nfreeze yield\n" % fake.control, brun=50)
        equal(ask(fake, "POST", "/reload"), (200, {"needs_restart": ["brun", "freeze"]}),
              "POST /reload of a change")
        equal(status_of(fake)["policy"]["remount"], "yield", "policy")
        fake.write_conf("nonsense\n")
        code, answer = ask(fake, "POST", "/reload")
        equal((code, len(answer["problems"])), (422, 1), "POST /reload of nonsense")
        daemon.stop()


def as_user(uid, gid, groups, fn):
    """In a child with those rights; what it returns must be true."""
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups(groups)
            os.setgid(gid)
            os.setuid(uid)
            os._exit(0 if fn() else 1)
        except BaseException:
            traceback.print_exc()
            os._exit(2)
    equal(os.waitpid(pid, 0)[1], 0, "status of user %d" % uid)


def rights():
    with controlled("control_group adm") as fake:
        group = __import__("grp").getgrnam("adm").gr_gid
        daemon = fake.start().bound()

        def refused():
            for method, path in (("GET", "/status"), ("GET", "/metrics"), ("POST", "/yield"),
                                 ("GET", "/nothing")):
                code, answer = ask(fake, method, path)
                if code != 403 or list(answer) != ["error"]:
                    return print(method, path, code, answer)
            return True

        def reads():
            return (ask(fake, "GET", "/status")[0] == 200 and
                    ask(fake, "GET", "/metrics")[0] == 200 and
                    ask(fake, "POST", "/yield")[0] == 403 and
                    ask(fake, "POST", "/cull", {"all": True})[0] == 403)

        as_user(NOBODY, NOBODY, [], refused)
        as_user(NOBODY, NOBODY, [NOBODY, group], reads)
        as_user(NOBODY, group, [], reads)
        equal(status_of(fake)["state"], "bound", "state")
        equal(daemon.count("has no right to ask"), 1, "messages")
        daemon.stop()


def descriptors(daemon):
    return len(os.listdir("/proc/%d/fd" % daemon.pid))


def quick(fake):
    start = time.monotonic()
    status_of(fake)
    return time.monotonic() - start


def no_descriptors():
    """Fewer descriptors than clients: some wait in the socket's queue, and all is well when they go."""
    with controlled() as fake:
        daemon = fake.start(nofile=40).bound()
        crowd = []
        for _ in range(60):
            s = socket.socket(socket.AF_UNIX)
            s.connect(fake.control)
            crowd.append(s)
        wait_for("no descriptor is left", lambda: descriptors(daemon) >= 40)
        time.sleep(2)
        daemon.check_alive()
        for s in crowd:
            s.close()
        wait_for("an answer", lambda: ask(fake, "GET", "/status")[0] == 200)
        daemon.stop()


def crowd():
    """A thousand that say nothing: some wait, others are told, and root is served when they go."""
    with controlled() as fake:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
        daemon = fake.start(nofile=1024).bound()
        before, turned_away = descriptors(daemon), set()
        crowd = []

        def told():
            for s in crowd:
                try:
                    if s not in turned_away and s.recv(1000).startswith(b"HTTP/1.1 503"):
                        turned_away.add(s)
                except BlockingIOError:
                    pass
            return len(turned_away) >= 800

        for _ in range(1000):
            s = socket.socket(socket.AF_UNIX)
            s.setblocking(False)
            try:
                s.connect(fake.control)
                crowd.append(s)
            except BlockingIOError:
                s.close()
        at_most(900, len(crowd), "connections wanted")
        wait_for("most to be turned away", told)
        wait_for("an end of the rush", lambda: descriptors(daemon) <= before + 80)
        # the silent ones are cut off, and then somebody is served
        wait_for("an answer", lambda: ask(fake, "GET", "/status")[0] == 200)
        for s in crowd:
            s.close()
        wait_for("their descriptors", lambda: descriptors(daemon) <= before)
        daemon.stop()


def bad_clients():
    """Half requests, giant headers and bodies, bytes that are no HTTP."""
    with controlled() as fake:
        daemon = fake.start().bound()
        before, sockets = descriptors(daemon), []
        for text in (b"", b"G", b"GET /status HTTP/1.1", b"GET /status HTTP/1.1\r\nHost: x\r\n",
                     b"POST /cull HTTP/1.1\r\nContent-Length: 100\r\n\r\n{", b"\0" * 100,
                     b"\xff" * 100 + b"\r\n\r\n", b"GET " + b"/" * 100000,
                     b"GET / HTTP/1.1\r\nX: " + b"x" * 100000,
                     b"POST /cull HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
                     b"POST /cull HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
                     b"POST /cull HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n",
                     b"POST /yield HTTP/1.1\r\nContent-Length: 70000\r\n\r\n" + b" " * 70000,
                     b"GET /status HTTP/1.1\r\n\r\n" * 200):
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(60)
            s.connect(fake.control)
            try:
                s.sendall(text)
            except OSError:
                pass
            sockets.append(s)
            at_most(quick(fake), 10, "seconds for an answer meanwhile")
        # whoever is silent is cut off after ten seconds
        wait_for("their ends", lambda: descriptors(daemon) <= before)
        for s in sockets:
            s.close()
        # gone before the answer
        s = socket.socket(socket.AF_UNIX)
        s.connect(fake.control)
        s.sendall(b"POST /yield HTTP/1.1\r\nHost: x\r\n\r\n")
        s.close()
        state_is(fake, "yielded")
        equal(ask(fake, "POST", "/resume")[0], 200, "POST /resume")
        state_is(fake, "bound")
        daemon.stop()


def another_daemon():
    """The socket of one that lives is not taken; that of a dead one is."""
    with controlled() as fake:
        first = fake.start().bound()
        second = fake.start()
        second.wait_log("control " + fake.control)
        second.wait_log("is in use")
        equal(status_of(fake)["state"], "bound", "state")
        first.process.kill()
        first.wait()
        second.bound().stop()
        third = fake.start().bound()
        equal(status_of(fake)["state"], "bound", "state")
        third.stop()


def answers_while_a_worker_blocks():
    with controlled(objects=1000) as fake:
        daemon = fake.start().bound()
        fake.order("inject cull 0 1 1 15000")
        fake.want(240)
        wait_for("a cycle", lambda: status_of(fake)["cull"]["running"])
        at_most(sorted(quick(fake) for _ in range(9))[4], 1, "seconds for an answer")
        equal(fake.get()["culls"], 0, "culls")
        daemon.process.kill()


def lint(text):
    tool = shutil.which("promtool")
    if not tool:
        print("     promtool is not here")
        return
    done = subprocess.run([tool, "check", "metrics"], input=text.encode(), capture_output=True)
    equal((done.returncode, done.stdout + done.stderr), (0, b""), "promtool")


def metrics():
    with controlled(objects=1000) as fake:
        other = fake.place + "/metrics"
        with open(fake.conf, "a") as f:
            f.write("metrics %s\n" % other)
        daemon = fake.start(env={"WATCHDOG_USEC": "2000000"}).bound()
        ask(fake, "GET", "/volumes")
        fake.want(240)
        fake.wait_culled(240, daemon)
        wait_for("the sums", lambda: status_of(fake)["totals"]["culled_files"] == 240)
        code, text = ask(fake, "GET", "/metrics")
        equal((code, text.endswith("\n# EOF\n")), (200, True), "OpenMetrics")
        for line in ("cachefilesd_culled_files_total 240", 'cachefilesd_state{cachefilesd_state="bound"} 1',
                     "# TYPE cachefilesd_culled_files counter", "# UNIT cachefilesd_culled_files files",
                     'cachefilesd_stalled{reason="in_use"} 0', "# TYPE cachefilesd_state stateset",
                     "cachefilesd_refused_freezes_total 0"):
            if line + "\n" not in text:
                raise AssertionError("%r is not in\n%s" % (line, text))
        code, plain = ask(fake, "GET", "/metrics", headers={"Accept": "text/plain"})
        if "# TYPE cachefilesd_culled_files_total counter\n" not in plain or "EOF" in plain:
            raise AssertionError(plain)
        lint(plain)
        equal(ask(fake, "GET", "/metrics", where=other)[0], 200, "the other place")
        equal(ask(fake, "GET", "/status", where=other)[0], 404, "the state there")
        equal(ask(fake, "POST", "/yield", where=other)[0], 404, "an order there")
        as_user(NOBODY, NOBODY, [], lambda: ask(fake, "GET", "/metrics", where=other)[0] == 200)
        daemon.stop()
        equal(os.path.exists(other), False, "socket left behind")


run(status, orders, yields, another_filesystem, yields_while_binding, reload, rights, no_descriptors,
    crowd, bad_clients, another_daemon, answers_while_a_worker_blocks, metrics)
