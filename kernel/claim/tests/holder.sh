# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 600
# Together: patched stock
# Variants: ext4 xfs btrfs
#
# Holders: one that yields, one that says so and does not, one that is killed, and binds that fail a
# thousand times.

. "$(dirname "$0")/lib"

cache_mount "$FS"
server_disk
manager_start || exit 77
expect "yield, nonsense" EINVAL "$(ask yield soon)"
expect "yield, too long" EINVAL "$(ask yield 4000000)"
expect "bind with yield" 0 "$(cache_bind 5000)"
expect "yield while bound" EBUSY "$(ask yield 5000)"
[ "$failed" = 0 ] || verdict
expect "a second manager" EBUSY "$("$BIN/cachectl" </dev/null)"

# Nobody unbinds: the freeze fails when the time is over, and can be killed before.
read -r error us <<<"$("$BIN/freeze" $CACHE)"
expect "freeze, nobody yields" EAGAIN "$error"
seen "after $((us / 1000)) ms"
[ "$us" -ge 4900000 ] && [ "$us" -le 15000000 ] || fail "that was not 5000 ms"
"$BIN/freeze" $CACHE >/dev/null &
freezer=$!
sleep 1
begin=$EPOCHREALTIME
kill -9 $freezer
wait $freezer 2>/dev/null
expect_below "killed while it waits" 2000 $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) ms
expect "frzref" 2 "$(key frzref)"
expect "thaw, nothing is frozen" EINVAL "$(freeze -u $CACHE)"

# One that does, and no new claim while the freeze waits.
ask '?yielder' >/dev/null
read -r error us <<<"$("$BIN/freeze" $CACHE)"
expect "freeze, the holder yields" 0 "$error"
seen "after $((us / 1000)) ms"
expect "bind then" EAGAIN "$(ask bind)"
expect "thaw" 0 "$(freeze -u $CACHE)"
expect "wclaim" 0 "$(key wclaim)"

# The manager dies while a freeze waits for it, and without one.
expect "bind again" 0 "$(ask bind)"
"$BIN/freeze" $CACHE >/tmp/frozen &
freezer=$!
sleep 1
kill -9 "$MANAGER_PID"
wait "$MANAGER_PID" $freezer 2>/dev/null
expect "freeze, the holder is killed" 0 "$(cut -d' ' -f1 /tmp/frozen)"
expect "thaw then" 0 "$(freeze -u $CACHE)"
manager_start
expect "bind by another" 0 "$(cache_bind 0)"
kill -9 "$MANAGER_PID"
wait "$MANAGER_PID" 2>/dev/null
expect "freeze, it was killed" 0 "$(freeze $CACHE)"

# Binds that fail leave nothing behind.
manager_start
ask "dir $CACHE" >/dev/null
expect "a thousand binds while frozen" "EAGAIN 1000" "$(ask '?repeat 1000 bind')"
freeze -u $CACHE >/dev/null
expect "bind" 0 "$(ask bind)"
expect "unbind" 0 "$(ask unbind)"
expect "a hundred times bound and unbound" "0 200" "$(ask '?repeat 100 bind unbind')"
umount $CACHE
expect "umount with the device open" 0 $?
mkfs_quietly "$FS" "$DISK"
expect "the disk is free" 0 $?
quiet
verdict
