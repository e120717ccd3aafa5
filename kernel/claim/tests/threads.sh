# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600
# Timeout: 700
# Together: patched
# Variants: ext4 xfs btrfs
#
# Claim and drop, freeze and thaw, remount, all at once for SECS seconds (60): only errors that are
# foreseen come, and each operation succeeds now and then.

. "$(dirname "$0")/lib"

cache_mount "$FS"
"$BIN/hammer" "${SECS:-60}" $CACHE >/tmp/counts
expect "unforeseen" 0 $?
sed 's/^/seen: /' /tmp/counts
for operation in bind unbind freeze thaw remount,ro remount,rw; do
	expect "$operation succeeds at times" yes "$(yesno grep -q "^$operation 0 " /tmp/counts)"
done
for refusal in "bind EAGAIN" "freeze EAGAIN" "remount,ro EBUSY"; do
	expect "$refusal" yes "$(yesno grep -q "^$refusal " /tmp/counts)"
done
mount -o remount,rw $CACHE
expect "freeze at the end" 0 "$(freeze $CACHE)"
expect "thaw at the end" 0 "$(freeze -u $CACHE)"
umount $CACHE
expect "umount at the end" 0 $?
quiet
verdict
