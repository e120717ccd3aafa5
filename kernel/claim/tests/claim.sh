# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 900
#
# What an administrator and a manager see of the claim, row by row; each says its cause.

. "$(dirname "$0")/lib"
fs=${FS:-ext4}
freeze() { "$BIN/freeze" "$@" | cut -d' ' -f1; }
reads() { sed -n 's/^IO .*rd=\([0-9]*\).*/\1/p' /proc/fs/fscache/stats; }

cache_mount "$fs"
nfs_serve
head -c 300000 /dev/urandom >/srv/x/file
sum=$(sha256sum </srv/x/file)
manager_start || exit 77
expect "bind" 0 "$(cache_bind)"

# Idle and bound.
key cull >/dev/null
expect "idle freeze" EAGAIN "$(freeze $CACHE)"
if [ "$(freeze -u $CACHE)" = 0 ]; then
	echo "the freeze had succeeded"
fi
expect "idle freeze: POLLIN" in "$(ask '?poll 5000')"
expect "idle freeze: frzref" 1 "$(key frzref)"
expect "POLLIN cleared by the read" no "$(ask '?poll 0')"
fsfreeze -f $CACHE 2>/tmp/said && fsfreeze -u $CACHE
expect "fsfreeze says why" 1 "$(grep -c 'Resource temporarily unavailable' /tmp/said)"
mount -o remount,ro $CACHE 2>/dev/null
expect "idle remount,ro" 32 $?
mount -o remount,rw $CACHE
expect "idle remount,ro: roref" 1 "$(key roref)"
umount $CACHE 2>/dev/null
expect "umount of the cache's mount" 32 $?

# cull elsewhere.
mkdir -p /srv/x/other
touch /srv/x/other/victim
ask "?chdir /srv/x/other" >/dev/null
expect "cull on another filesystem" EXDEV "$(ask cull victim)"
expect "inuse on another filesystem" EXDEV "$(ask inuse victim)"
expect "the file is still there" yes "$([ -e /srv/x/other/victim ] && echo yes || echo no)"
ask "?chdir /" >/dev/null

# unbind, freeze, bind, thaw, bind.
nfs_mount
expect "read through the cache" "$sum" "$(sha256sum </mnt/nfs/file)"
expect "unbind" 0 "$(ask unbind)"
expect "unbound: wclaim" 0 "$(key wclaim)"
expect "unbind again" ENODATA "$(ask unbind)"
expect "unbound: freeze" 0 "$(freeze $CACHE)"
(sleep 120 && "$BIN/freeze" -u $CACHE) >/dev/null 2>&1 &
watch=$!
expect "bind while frozen" EAGAIN "$(ask bind)"
kill $watch 2>/dev/null
expect "thaw" 0 "$(freeze -u $CACHE)"
expect "bind after the thaw" 0 "$(ask bind)"
expect "bound: wclaim" 1 "$(key wclaim)"
echo 3 >/proc/sys/vm/drop_caches
expect "read after the rebind" "$sum" "$(sha256sum </mnt/nfs/file)"
sync
echo 3 >/proc/sys/vm/drop_caches
before=$(reads)
expect "read again" "$sum" "$(sha256sum </mnt/nfs/file)"
expect "it came from the cache" yes "$([ "$(reads)" -gt "$before" ] && echo yes || echo no)"

# Changed while unbound.
expect "unbind before a change" 0 "$(ask unbind)"
head -c 200000 /dev/urandom >/srv/x/file
sync
sum=$(sha256sum </srv/x/file)
expect "bind after a change" 0 "$(ask bind)"
until_true 30 cmp -s /srv/x/file /mnt/nfs/file
expect "no stale data" "$sum" "$(sha256sum </mnt/nfs/file)"

# yield: the freeze waits for a manager that unbinds when it sees the refusal.
expect "yield while bound" EBUSY "$(ask yield 60000)"
expect "unbind before yield" 0 "$(ask unbind)"
expect "yield nonsense" EINVAL "$(ask yield soon)"
expect "yield" 0 "$(ask yield 60000)"
expect "bind with yield" 0 "$(ask bind)"
expect "a second manager" EBUSY "$("$BIN/cachectl" </dev/null)"

# A mount of a read-only bind.
manager_stop
mkdir -p /mnt/ro
mount --bind $CACHE /mnt/ro && mount -o remount,bind,ro /mnt/ro
manager_start
ask "dir /mnt/ro" >/dev/null
expect "bind on a read-only bind mount" EROFS "$(ask bind)"
umount /mnt/ro
expect "its reference is back" 0 $?
manager_stop

# One freeze, at the first call.
manager_start
bound=$(cache_bind_yield)
expect "bind, yielding" 0 "$bound"
ask '?read' >/dev/null
ask '?yielder' >/dev/null
expect "freeze with a manager that yields" 0 "$(freeze $CACHE)"
expect "thaw after it" 0 "$(freeze -u $CACHE)"
expect "yielded: wclaim" 0 "$(key wclaim)"

# The manager dies.
expect "bind again" 0 "$(ask bind)"
kill -9 "$MANAGER_PID"
wait "$MANAGER_PID" 2>/dev/null
expect "freeze when the manager was killed" 0 "$(freeze $CACHE)"
expect "thaw then" 0 "$(freeze -u $CACHE)"

# Failing binds leave nothing behind.
manager_start
ask "dir $CACHE" >/dev/null
freeze $CACHE >/dev/null
wrong=0
for _ in $(seq 300); do
	[ "$(ask bind)" = EAGAIN ] || wrong=$((wrong + 1))
done
freeze -u $CACHE >/dev/null
expect "300 binds while frozen, not EAGAIN" 0 "$wrong"
expect "bind after them" 0 "$(ask bind)"
expect "unbind after them" 0 "$(ask unbind)"
umount /mnt/nfs
umount $CACHE
expect "umount with the device open, unbound" 0 $?
quiet
exit $failed
