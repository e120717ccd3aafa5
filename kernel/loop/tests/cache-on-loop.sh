#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 400
# Stock: pass
# Together: patched stock
# Timeout: 2400
#
# A control: a cache bounded by an image, its file system on an autoclear device, as mount -o loop does
# it. Fill it through 9p, let it go, and unmount the cache and the file system that the image is on,
# without a pause, 100 times. Every other time the cache's file system is unmounted lazily while the
# cache is bound, under its claim on kernels that have it: the last close of the device is then that of
# the cache.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
mkdir -p /tmp/outer /srv/x
mkfs.ext4 -q -F /dev/vda && mount /dev/vda /tmp/outer || exit 2
truncate -s 300M /tmp/outer/image && mkfs.ext4 -q -F /tmp/outer/image && umount /tmp/outer || exit 2
mount -t tmpfs server /srv/x || exit 2
head -c 100000 /dev/urandom >/srv/x/one
head -c 30000 /dev/urandom >/srv/x/two
diod --foreground --no-auth --export /srv/x --listen 127.0.0.1:5640 --logdest stderr >/tmp/diod.log 2>&1 &
server=$!
serves() { bash -c '</dev/tcp/127.0.0.1/5640'; }
wait_for 60 serves || exit 77

program cache_on_loop /dev/vda 100
kill $server
wait $server
umount /srv/x
unload
kernel_silent
verdict
