#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 400 100
# Stock: pass
# Timeout: 2400
#
# A control: a cache bounded by an image, its file system mounted with -o loop. Fill it through NFS, let
# it go, and unmount the cache and the file system that the image is on, without a pause, 100 times.
# Every other time the cache's file system is unmounted lazily while the cache is bound, under its
# claim on kernels that have it: the last close of the device is then that of the cache.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
# shellcheck source=/dev/null
. "$(dirname "$0")/../../claim/tests/lib"
outer=/tmp/outer cache=/tmp/cache busy=0 early=0 filled=0
rounds=${ROUNDS:-100}

mkfs.ext4 -q -F /dev/vda && mkdir -p $outer $cache && mount /dev/vda $outer || exit 2
truncate -s 300M $outer/image && mkfs.ext4 -q -F $outer/image && umount $outer || exit 2
nfs_serve
head -c 300000 /dev/urandom >/srv/x/one
head -c 70000 /dev/urandom >/srv/x/two

bound() {
	[ -e /sys/block/loop0/loop/backing_file ]
}

for ((round = 0; round < rounds; round++)); do
	mount /dev/vda $outer && mount -o loop $outer/image $cache || exit 2
	exec {device}<>/dev/cachefiles || exit 2
	for word in "dir $cache" "tag loop" bind; do
		printf '%s' "$word" >&"$device" || exit 2
	done
	nfs_mount
	cat /mnt/nfs/one /mnt/nfs/two >/dev/null
	umount /mnt/nfs || exit 2
	if [ $((round % 2)) = 0 ]; then
		umount $cache 2>/dev/null && fail "round $round: a bound cache is unmounted"
		[ -z "$(find $cache/cache -type f -size +0 2>/dev/null)" ] || filled=$((filled + 1))
		exec {device}>&-
		umount $cache || busy=$((busy + 1))
	else
		umount -l $cache || exit 2
		umount $outer 2>/dev/null && fail "round $round: the image is in use, and yet unmounted"
		bound || early=$((early + 1))
		exec {device}>&-
	fi
	! bound || busy=$((busy + 1))
	umount $outer || busy=$((busy + 1))
	while mountpoint -q $cache && ! umount $cache; do sleep 0.1; done
	while mountpoint -q $outer && ! umount $outer; do sleep 0.1; done
done
[ $busy = 0 ] || fail "$busy times busy"
[ $early = 0 ] || fail "$early times detached under the cache"
[ $filled -gt 0 ] || fail "nothing was cached"
echo "seen: $rounds rounds, half of them with the last close by the cache: $busy times busy, $early detached early; filled when looked at $filled times"
unload
kernel_silent
verdict
