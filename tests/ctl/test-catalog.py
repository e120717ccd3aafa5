# SPDX-License-Identifier: GPL-2.0-or-later
"""The journal's catalog: an entry for each id of the table, no other, and systemd reads it.

Environment: CATALOG and MESSAGES are the files.
"""

import shutil

from stub import *


def table():
    """{id: name} of messages.h."""
    with open(os.environ["MESSAGES"]) as f:
        found = re.findall(r'^\s*M\((\w+), "([0-9a-f]+)"', f.read(), re.M)
    if len(found) < 20:
        raise AssertionError("messages.h has but %d ids" % len(found))
    equal(len({i for _, i in found}), len(found), "different ids")
    return {i: name for name, i in found}


def entries():
    """{id: (name, header, text)} of the catalog."""
    with open(os.environ["CATALOG"]) as f:
        parts = re.split(r"^# (\w+)\n-- ([0-9a-f]{32})\n", f.read(), flags=re.M)
    found = {}
    for name, i, rest in zip(parts[1::3], parts[2::3], parts[3::3]):
        if i in found:
            raise AssertionError("two entries for " + i)
        if "\n-- " in rest:
            raise AssertionError("an entry without a name behind " + name)
        header, _, text = rest.partition("\n\n")
        found[i] = (name, header, text)
    return found


def each_has_one():
    equal({i: e[0] for i, e in entries().items()}, table(), "entries of the catalog")


def each_says_something():
    for name, header, text in entries().values():
        has(header, "Subject: ", "Defined-By: cachefilesd", "Documentation: man:")
        for line in header.splitlines():
            if not re.match(r"(Subject|Defined-By|Documentation): \S", line):
                raise AssertionError("%s: %r is no header" % (name, line))
        if len(text.split()) < 12:
            raise AssertionError("%s: %r explains nothing" % (name, text))
        if max(len(line) for line in (header + "\n" + text).splitlines()) > 84:
            raise AssertionError("%s: a line is too long" % name)


def systemd_reads_it():
    if not shutil.which("journalctl"):
        return
    with tempfile.TemporaryDirectory() as root:
        os.makedirs(root + "/usr/lib/systemd/catalog")
        os.makedirs(root + "/var/lib/systemd/catalog")
        shutil.copy(os.environ["CATALOG"], root + "/usr/lib/systemd/catalog/")

        def journalctl(*arguments):
            done = subprocess.run(["journalctl", "--root=" + root] + list(arguments),
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=PATIENCE)
            equal((done.returncode, done.stderr.decode()), (0, ""), arguments[0])
            return done.stdout.decode()

        journalctl("--update-catalog")
        listed = journalctl("--list-catalog")
        equal(sorted(re.findall(r"^([0-9a-f]{32}) cachefilesd: ", listed, re.M)), sorted(table()),
              "ids that systemd lists")
        freeze = next(i for i, name in table().items() if name == "FREEZE_REFUSED")
        has(journalctl("--dump-catalog", freeze), "-- " + freeze, "Subject: Somebody could not",
            "freeze yield")


run(each_has_one, each_says_something, systemd_reads_it)
