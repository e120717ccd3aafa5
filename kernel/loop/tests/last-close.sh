#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks: 300
# Stock: pass
# Timeout: 600
#
# A control, which a rundown in a workqueue alone fails: when a close or the death of a task is over,
# so is the rundown, and the file system of the image can be unmounted. A kernel thread that closes
# last only promises that it comes to it.
set -u
status=0
disk=/dev/vda
mkfs.ext4 -q -F "$disk" && mkdir -p /tmp/outer || exit 2

for who in killed kthread; do
	mount "$disk" /tmp/outer || exit 2
	"$BIN/loop_test" $who /tmp/outer 100 || status=1
	for ((tries = 0; ; tries++)); do
		umount /tmp/outer && break
		# The kernel thread may still have the image.
		if [ $who = killed ] || [ $tries -ge 300 ]; then
			echo "umount of the image's file system after $who: busy"
			status=1
			break
		fi
		sleep 0.1
	done
done
case $1 in
*-6.1) "$BIN/loop_test" reuse 500 || status=1 ;;
esac
"$BIN/loop_test" close 300 || status=1
exit $status
