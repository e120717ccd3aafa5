# SPDX-License-Identifier: GPL-2.0-or-later
"""Makes the tree of the case hostile: hostile.py DIRECTORY OUTSIDE EMPTY."""

import os
import socket
import stat
import sys

TOP, OUT, EMPTY = os.fsencode(sys.argv[1]), os.fsencode(sys.argv[2]), int(sys.argv[3])
CACHE, GRAVEYARD = TOP + b"/cache", TOP + b"/graveyard"
OBJECT = os.urandom(1 << 19)
age = 1_600_000_000  # access times, one second apart: the order in which objects are made


def made_object(path, size=len(OBJECT)):
    global age
    age += 1
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0)
    os.write(fd, OBJECT[:size])
    os.close(fd)
    os.utime(path, (age, age))


def made_dir(path):
    os.makedirs(path, 0o700)
    return path


def odd(parent, prefix):
    """One of each thing that is not a file or directory."""
    os.mkfifo(parent + b"/" + prefix + b"fifo", 0o600)
    os.mknod(parent + b"/" + prefix + b"device", stat.S_IFCHR | 0o600, os.makedev(1, 3))
    os.mknod(parent + b"/" + prefix + b"block", stat.S_IFBLK | 0o600, os.makedev(253, 0))
    os.symlink(OUT, parent + b"/" + prefix + b"link")
    os.symlink(OUT + b"/file", parent + b"/" + prefix + b"filelink")
    os.symlink(b"../../../../../../../../.." + OUT, parent + b"/" + prefix + b"uplink")
    os.symlink(prefix + b"loop", parent + b"/" + prefix + b"loop")
    here = os.open(".", os.O_RDONLY)
    os.chdir(parent)
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(prefix + b"socket")
    os.fchdir(here)
    os.close(here)


def chain(parent, name, depth):
    fd = os.open(parent, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir(name, 0o700, dir_fd=fd)
        below = os.open(name, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    os.close(os.open(b"bottom", os.O_WRONLY | os.O_CREAT, 0o600, dir_fd=fd))
    os.close(fd)


# The oldest objects: names of 255 bytes, in a volume with such a name.
long_volume = made_dir(CACHE + b"/IL" + b"v" * 253 + b"/@0f")
for n in range(10):
    made_object(long_volume + b"/DL%03d" % n + b"n" * 250)

# A volume as kernels make them; among its objects all that does not belong there.
for fanout in range(16):
    made_dir(CACHE + b"/Inormal/@%02x" % fanout)
for n in range(480):
    made_object(CACHE + b"/Inormal/@%02x/DC%04d" % (n % 16, n))
normal = CACHE + b"/Inormal/@01"
odd(normal, b"D")
odd(CACHE + b"/Inormal", b"@0")
odd(CACHE, b"I")
os.symlink(OUT, CACHE + b"/Inormal/@33")
os.symlink(b"../../..", CACHE + b"/Inormal/@34")
os.symlink(b"loop", CACHE + b"/loop")
made_object(CACHE + b"/Inormal/@01/Dimmutable", 1)
made_object(CACHE + b"/Inormal/@02/Dbound", 1)
for name in (b"D with a blank", b"Dnew\nline", b"D\xff\xfe\x01", b"..x", b"-rf", b"f" * 255):
    made_object(normal + b"/" + name, 1)
    made_dir(CACHE + b"/" + name)
made_dir(normal + b"/Ddirectory/below")
made_object(CACHE + b"/plain-file", 1)
made_object(CACHE + b"/Ifile", 1)

# Neither readable for us without the privilege that the daemon has given up.
for path in (CACHE + b"/Itheirs", CACHE + b"/Inormal/@44"):
    made_dir(path)
    made_object(path + b"/Dinside", 1)
    os.chown(path, 1234, 1234)
    os.chmod(path, 0)

# Trees of kernels before 5.17, and one that is deep.
for n in (0x30, 0x4A):
    old = made_dir(CACHE + b"/@%02x/I03nfs/@30/Ji00000000000000" % n)
    made_object(old + b"/Ejo", 4096)
    odd(old, b"E")
made_dir(CACHE + b"/+old/+longer")
chain(made_dir(CACHE + b"/chain"), b"d", 1000)

# The graveyard as it was left.
odd(GRAVEYARD, b"..")
for name in (b"..x", b"...", b"n" * 255, b"new\nline"):
    made_dir(GRAVEYARD + b"/" + name)
    made_object(GRAVEYARD + b"/" + name + b"/" + name, 1)
chain(GRAVEYARD, b"deep", 3000)
made_object(GRAVEYARD + b"/immutable", 1)

# Volumes with nothing in them, each a directory with up to 200 fan-outs.
while EMPTY > 0:
    volume = made_dir(CACHE + b"/Iempty%06d" % EMPTY)
    EMPTY -= 1
    for fanout in range(min(EMPTY, 200)):
        os.mkdir(volume + b"/@%02x" % fanout)
        EMPTY -= 1
