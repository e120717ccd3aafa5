#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks: 400
# Stock: pass
# Timeout: 900
#
# A control: a cache bounded by an image, its file system mounted with -o loop. Bind it, let it go, and
# unmount the cache and the file system that the image is on, without a pause, ROUNDS times.
set -u
rounds=${ROUNDS:-100}
busy=0
mkfs.ext4 -q -F /dev/vda && mkdir -p /tmp/outer /tmp/cache && mount /dev/vda /tmp/outer || exit 2
truncate -s 300M /tmp/outer/image && mkfs.ext4 -q -F /tmp/outer/image || exit 2
umount /tmp/outer || exit 2

for ((round = 0; round < rounds; round++)); do
	mount /dev/vda /tmp/outer && mount -o loop /tmp/outer/image /tmp/cache || exit 2
	exec {cache}<>/dev/cachefiles || exit 2
	for word in "dir /tmp/cache" "tag loop" "bind"; do
		printf '%s' "$word" >&$cache || exit 2
	done
	mkdir -p /tmp/cache/filled && head -c 200000 /dev/urandom >"/tmp/cache/filled/$((round % 20))"
	exec {cache}>&-
	if ! umount /tmp/cache || ! umount /tmp/outer; then
		busy=$((busy + 1))
		until ! mountpoint -q /tmp/cache || umount /tmp/cache; do sleep 0.1; done
		until umount /tmp/outer; do sleep 0.1; done
	fi
done
echo "cache on an image: $busy of $rounds times busy"
[ $busy = 0 ]
