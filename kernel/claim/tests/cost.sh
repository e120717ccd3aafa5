# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 400
# Counted: yes
# Stock: pass
# Variants: ext4 xfs btrfs
#
# What the claims cost those who have none: instructions of write(2), of creating and removing a
# file, of setting times, and of freeze and thaw. The kernel with the series against the one without
# it: kernel/run status. Means something on kernels without debugging (-c bench).

. "$(dirname "$0")/lib"

cache_mount "$FS"
"$BIN/cost" $CACHE >/tmp/cost
expect "cost" 0 $?
# An instruction takes two nanoseconds.
awk '{ printf "seen: %s: %d instructions, the least %d\n", $1, $2 / 2, $3 / 2 }' /tmp/cost
umount $CACHE
expect "umount" 0 $?
quiet
verdict
