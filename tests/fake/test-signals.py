# SPDX-License-Identifier: GPL-2.0-or-later
"""Signals, pid file, a daemon of the old kind, two daemons for one device."""

from fakelib import *


def stop_in_order():
    for number in (signal.SIGTERM, signal.SIGINT):
        with Fake(100) as fake:
            daemon = fake.start().bound()
            daemon.stop(number)
            equal(daemon.count("stopping"), 1, "messages about the stop")
            wait_for("the last close", lambda: fake.get()["opened"] == 0)
            equal(fake.get()["withdrawals"], 1, "withdrawals")


def stop_while_culling():
    """In the middle of a cycle, of a slow command even."""
    with Fake(2000) as fake:
        daemon = fake.start().bound()
        fake.order("inject cull 0 1 0 300")
        fake.want(500)
        wait_for("a cull", lambda: fake.get()["culls"] > 0)
        daemon.stop()
        at_most(fake.get()["culls"], 100, "culls")


def stop_while_waiting():
    with Fake() as fake:
        fake.order("inject open 16 1 0 0")
        daemon = fake.start()
        daemon.wait_log("waiting")
        daemon.stop()


def loop_answers_while_a_cull_blocks():
    with Fake(1000) as fake:
        daemon = fake.start().bound()
        fake.order("inject cull 0 1 1 20000")
        fake.want(240)
        wait_for("the scan", lambda: fake.get()["scans"] >= 2)
        daemon.kill(signal.SIGUSR1)
        daemon.wait_log("status:")
        equal(fake.get()["culls"], 0, "culls while the first one blocks")
        fake.wait_culled(240, daemon)
        daemon.stop()


def reload():
    with Fake(100) as fake:
        daemon = fake.start().bound()
        daemon.kill(signal.SIGHUP)
        daemon.wait_log("configuration reloaded")
        fake.write_conf("nonsense\n")
        daemon.kill(signal.SIGHUP)
        daemon.wait_log('unknown directive "nonsense"')
        daemon.wait_log("stays")
        fake.write_conf(brun=50)
        daemon.kill(signal.SIGHUP)
        daemon.wait_log('"brun" is changed: that needs a restart')
        fake.write_conf("nocull\n")
        daemon.kill(signal.SIGHUP)
        daemon.wait_log('"nocull" is changed: that needs a restart')
        fake.want(11)
        fake.wait_culled(11, daemon)
        equal(fake.get()["binds"], 1, "bindings")
        daemon.stop()


def status():
    with Fake(1000) as fake:
        daemon = fake.start().bound()
        fake.want(240)
        fake.wait_culled(240, daemon)
        wait_for("the report", lambda: daemon.count("culled 240 files"))
        daemon.kill(signal.SIGUSR1)
        daemon.wait_log("status: last cycle: culled 240 files")
        daemon.stop()


def detached(fake, *arguments):
    """A daemon of the old kind; its starter ends when the cache is bound."""
    pidfile = fake.place + "/pid"
    starter = fake.start("-p", pidfile, *arguments, foreground=False)
    equal(starter.wait(), 0, "exit code of the starter")
    with open(pidfile) as f:
        return int(f.read()), pidfile


def gone(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def old_kind():
    with Fake(100) as fake:
        pid, pidfile = detached(fake)
        try:
            now = fake.get()
            equal((now["ready"], now["opened"]), (1, 1), "bound when the starter ends")
            equal(os.getsid(pid), pid, "session")
            equal(os.readlink("/proc/%d/cwd" % pid), "/", "working directory")
            fake.want(11)
            wait_for("culls", lambda: fake.get()["culls"] == 11)
        finally:
            os.kill(pid, signal.SIGTERM)
        wait_for("its end", lambda: gone(pid))
        wait_for("the last close", lambda: fake.get()["opened"] == 0)
        equal(os.path.exists(pidfile), False, "pid file left behind")


def old_kind_that_fails():
    with Fake() as fake:
        fake.order("set no_module 1")
        starter = fake.start("-p", fake.place + "/pid", foreground=False)
        equal(starter.wait(), 1, "exit code")
        equal(os.path.exists(fake.place + "/pid"), False, "pid file left behind")


def second_daemon():
    """Waits for the device, told once, and takes over; --no-wait does not."""
    with Fake() as fake:
        first = fake.start().bound()
        impatient = fake.start("--no-wait")
        equal(impatient.wait(), 1, "exit code of --no-wait")
        second = fake.start()
        second.wait_log("is in use")
        wait_for("attempts", lambda: fake.get()["opens"] >= 4)
        equal(second.count("is in use"), 1, "messages about the wait")
        first.stop()
        second.bound().stop()
        equal(fake.get()["binds"], 2, "bindings")


def second_pid_file():
    with Fake() as fake:
        first = fake.start("-p", fake.place + "/pid").bound()
        second = fake.start("-p", fake.place + "/pid")
        equal(second.wait(), 1, "exit code")
        equal(second.count("another cachefilesd holds it"), 1, "messages")
        first.check_alive()
        first.stop()
        equal(os.path.exists(fake.place + "/pid"), False, "pid file left behind")


def without_module():
    with Fake() as fake:
        fake.order("set no_module 1")
        daemon = fake.start()
        equal(daemon.wait(), 1, "exit code")
        equal(daemon.count("modprobe cachefiles"), 1, "messages")


def directory_comes_late():
    with Fake() as fake:
        os.rename(fake.cache, fake.cache + "-later")
        daemon = fake.start()
        daemon.wait_log("waiting")
        equal(fake.get()["opens"], 0, "opens of the device")
        os.rename(fake.cache + "-later", fake.cache)
        daemon.bound().stop()


def ready_without_a_cache():
    """--ready-after ends the wait of whoever waits for the service, not the daemon's."""
    with Fake() as fake:
        os.rename(fake.cache, fake.cache + "-later")
        daemon = fake.start("--ready-after", "1")
        daemon.wait_log("goes on without a cache")
        daemon.check_alive()
        os.rename(fake.cache + "-later", fake.cache)
        daemon.bound().stop()
        equal(daemon.count("goes on without a cache"), 1, "messages")


run(ready_without_a_cache, stop_in_order, stop_while_culling, stop_while_waiting, loop_answers_while_a_cull_blocks, reload,
    status, old_kind, old_kind_that_fails, second_daemon, second_pid_file, without_module,
    directory_comes_late)
