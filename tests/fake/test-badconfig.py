# SPDX-License-Identifier: GPL-2.0-or-later
"""Every line of tests/config/bad.tsv through the daemon: exit code 2, all that is wrong said, the
device never opened."""

from fakelib import *

TABLE = os.path.join(os.environ["CASES_DIR"], "bad.tsv")


def decode(text):
    def escape(match):
        if match.group(1):
            return int(match.group(1)) * match.group(2).encode()
        if match.group(3):
            return bytes([int(match.group(3), 16)])
        return {"n": b"\n", "t": b"\t", "r": b"\r"}[match.group(4)]

    out, at = b"", 0
    for match in re.finditer(r"\\\{(\d+)\}(.)|\\x([0-9a-f]{2})|\\([ntr])", text):
        out += text[at:match.start()].encode() + escape(match)
        at = match.end()
    return out + text[at:].encode()


def build(path, what):
    if what == "!missing":
        return
    if what == "!directory":
        os.mkdir(path)
    elif what == "!fifo":
        os.mkfifo(path)
    elif what == "!null":
        os.symlink("/dev/null", path)
    elif what == "!dangling":
        os.symlink("nowhere", path)
    elif what == "!loop":
        os.symlink(os.path.basename(path), path)
    else:
        with open(path, "wb") as f:
            f.write(decode(what))


def build_case(fake, columns):
    conf = fake.conf
    directory = conf + ".d"
    for path in (conf, directory):
        if os.path.islink(path) or os.path.exists(path):
            if os.path.isdir(path) and not os.path.islink(path):
                shutil.rmtree(path)
            else:
                os.unlink(path)
    build(conf, columns[0])
    for column in columns[1:]:
        name, _, what = column.partition("=")
        if name == ".":
            build(directory, what)
            continue
        os.makedirs(directory, exist_ok=True)
        build(os.path.join(os.fsencode(directory), decode(name)) if "\\" in name
              else os.path.join(directory, name), what)


def cases():
    with open(TABLE, encoding="utf-8", newline="\n") as f:
        for line in f:
            if not line.startswith("#") and line.strip("\n"):
                name, expected, *columns = line.rstrip("\n").split("\t")
                yield name, expected.replace("\\n", "\n").splitlines(), columns


def every_case():
    number = 0
    with Fake() as fake:
        for name, expected, columns in cases():
            build_case(fake, columns)
            for arguments in ((), ("-t",)):
                daemon = start(fake, arguments)
                code = daemon.wait()
                lines = [line.replace(fake.place + "/", "") for line in daemon.log().splitlines()]
                equal(code, 2, name + ": exit code")
                equal(lines, expected, name + ": messages")
                fake.daemons.clear()
            number += 1
        equal(fake.get()["opens"], 0, "opens of the device")
    if number < 60:
        raise AssertionError("only %d cases" % number)
    print("     %d cases" % number)


def start(fake, arguments):
    exists = os.path.exists
    os.path.exists = lambda path: True  # the file is the case's, even where it is none
    try:
        return fake.start(*arguments)
    finally:
        os.path.exists = exists


def usage():
    """What the command line lacks."""
    with Fake() as fake:
        for arguments in (("--nonsense",), ("-Z",), ("word",), ("-p",), ("-c",)):
            equal(fake.start(*arguments).wait(), 2, "exit code of %r" % (arguments,))
        for arguments in (("-h",), ("-V",), ("-v",), ("--dump-config",)):
            equal(fake.start(*arguments).wait(), 0, "exit code of %r" % (arguments,))
        equal(fake.get()["opens"], 0, "opens of the device")


run(every_case, usage)
