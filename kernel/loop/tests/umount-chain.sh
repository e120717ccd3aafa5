#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Disks: 2000
# Stock: pass
# Timeout: 3600
#
# A control, which a rundown in a workqueue alone fails: file systems on loop devices, three deep,
# unmounted from the inside out without a pause, ROUNDS times.
set -u
status=0

for type in ${TYPES:-ext4 xfs btrfs}; do
	"$BIN/umount_chain" /dev/vda "$type" "${ROUNDS:-500}" || status=1
done
exit $status
