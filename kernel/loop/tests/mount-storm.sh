#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks: 300
# Stock: pass
# Timeout: 1200
#
# 200 mount -o loop and umount of it at once, udev running if the system has it: each ends, and no
# device stays bound. How many mounts the tools themselves gave up is printed: they find a free device
# and then bind it, which others do, too.
set -u
mkfs.ext4 -q -F /dev/vda && mkdir -p /tmp/storm && mount /dev/vda /tmp/storm || exit 2
truncate -s 4M /tmp/storm/image && mkfs.ext4 -q -F -O ^has_journal /tmp/storm/image || exit 2

udevd=/lib/systemd/systemd-udevd
[ ! -x $udevd ] || $udevd --daemon 2>/dev/null

one() {
	mkdir -p "/tmp/m$1"
	cp --sparse=always /tmp/storm/image "/tmp/storm/image$1"
	mount -o loop "/tmp/storm/image$1" "/tmp/m$1" 2>"/tmp/m$1.log" || {
		echo mount >>"/tmp/m$1.failed"
		return
	}
	umount "/tmp/m$1" || echo umount >>"/tmp/m$1.failed"
}

for n in $(seq 200); do
	one "$n" &
	pids[n]=$!
done
wait "${pids[@]}"
for ((tries = 0; tries < 300; tries++)); do
	bound=$(find /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l)
	[ "$bound" = 0 ] && break
	sleep 0.1
done
mounts=$(cat /tmp/m*.failed 2>/dev/null | grep -c '^mount')
umounts=$(cat /tmp/m*.failed 2>/dev/null | grep -c '^umount')
cat /tmp/m*.log | sed 's/m[0-9]*/mN/g; s/image[0-9]*/imageN/g; s/loop[0-9]*/loopN/g' | sort | uniq -c
echo "of 200: mounts given up $mounts, umounts failed $umounts, devices left bound $bound"
umount /tmp/storm || {
	echo "the images' file system is busy"
	exit 1
}
[ "$umounts" = 0 ] && [ "$bound" = 0 ]
