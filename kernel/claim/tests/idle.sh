# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 400
# Together: patched stock
# Variants: ext4 xfs btrfs
# Check: ext4
#
# An idle bound cache, and who cannot freeze, remount or unmount its filesystem; binds that are
# refused; cull in a directory of another filesystem.

. "$(dirname "$0")/lib"

cache_mount "$FS"
server_disk
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"

key cull >/dev/null
read -r error us <<<"$("$BIN/freeze" $CACHE)"
if [ "$error" = 0 ]; then
	freeze -u $CACHE >/dev/null
fi
expect "idle freeze" EAGAIN "$error"
expect_below "idle freeze, the call" 100000 "$us" us
expect "POLLIN" in "$(ask '?poll 5000')"
expect "frzref" 1 "$(key frzref)"
expect "POLLIN after the read" no "$(ask '?poll 0')"
read -r error us <<<"$("$BIN/freeze" $CACHE)"
expect "idle freeze, again" EAGAIN "$error"
expect_below "the second call" 100000 "$us" us
expect "frzref" 2 "$(key frzref)"
freeze /srv/x >/dev/null
read -r error us <<<"$("$BIN/freeze" /srv/x)"
freeze -u /srv/x >/dev/null
expect "for comparison, a frozen filesystem" EBUSY "$error"
seen "that call: $us us"

mount -o remount,ro $CACHE 2>/tmp/said
expect "idle remount,ro" 32 $?
expect "roref" 1 "$(key roref)"
mount -o remount,rw $CACHE
umount $CACHE 2>/dev/null
expect "umount" 32 $?
expect "wclaim" 1 "$(key wclaim)"
expect "dead" 0 "$(key dead)"

# cull elsewhere.
mkdir -p /srv/x/other
touch /srv/x/other/victim
ask "?chdir /srv/x/other" >/dev/null
expect "cull on another filesystem" EXDEV "$(ask cull victim)"
expect "inuse on another filesystem" EXDEV "$(ask inuse victim)"
expect "the file is still there" yes "$(yesno test -e /srv/x/other/victim)"
ask "?chdir /" >/dev/null
manager_stop

# A bind mount that is read-only.
mkdir -p /mnt/ro
mount --bind $CACHE /mnt/ro && mount -o remount,bind,ro /mnt/ro
manager_start
expect "bind on a read-only bind mount" EROFS "$(cache_bind 0 /mnt/ro)"
manager_stop
umount /mnt/ro
expect "umount of it" 0 $?

# While it is frozen: the kernel without the series waits for the thaw, uninterruptibly.
manager_start
freeze $CACHE >/dev/null
(sleep 20 && "$BIN/freeze" -u $CACHE) >/dev/null 2>&1 &
watch=$!
begin=$EPOCHREALTIME
expect "bind while frozen" EAGAIN "$(cache_bind 0)"
expect_below "its time" 5000 $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) ms
kill $watch 2>/dev/null || wait $watch
freeze -u $CACHE >/dev/null
manager_stop
umount $CACHE
expect "umount at the end" 0 $?
quiet
verdict
