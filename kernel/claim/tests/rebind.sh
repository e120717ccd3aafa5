# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 500
# Together: patched stock
# Variants: ext4 xfs btrfs
# Check: ext4
#
# unbind, freeze, bind, thaw, bind, read; a mounted network filesystem is cached again from each
# file's next open; what changed on the server meanwhile is seen.

. "$(dirname "$0")/lib"

cache_mount "$FS"
nfs_serve
for n in 1 2 3 4; do
	head -c 300000 /dev/urandom >/srv/x/file$n
done
manager_start || exit 77
expect "read of the state before bind" "" "$(ask '?read')"
expect "unbind before bind" ENODATA "$(ask unbind)"
expect "bind" 0 "$(cache_bind 0)"
nfs_mount
expect "cached" yes "$(from_cache /mnt/nfs/file1)"
expect "unbind" 0 "$(ask unbind)"
[ "$failed" = 0 ] || verdict
expect "POLLIN" in "$(ask '?poll 0')"
expect "wclaim" 0 "$(key wclaim)"
expect "POLLIN after the read" no "$(ask '?poll 0')"
expect "unbind again" ENODATA "$(ask unbind)"
expect "cull unbound" EIO "$(ask cull x)"

expect "freeze" 0 "$(freeze $CACHE)"
expect "bind while frozen" EAGAIN "$(ask bind)"
cat /mnt/nfs/file2 >/tmp/frozen.copy 2>&1 &
reader=$!
expect "uncached read while frozen" yes "$(yesno wait_for 30 none kill -0 $reader)"
expect "thaw" 0 "$(freeze -u $CACHE)"
wait $reader
expect "what it read" yes "$(yesno cmp /srv/x/file2 /tmp/frozen.copy)"
expect "bind after the thaw" 0 "$(ask bind)"
expect "wclaim after it" 1 "$(key wclaim)"
expect "cached again" yes "$(from_cache /mnt/nfs/file1)"
expect "cached for the first time" yes "$(from_cache /mnt/nfs/file2)"
expect "its data" yes "$(yesno cmp /srv/x/file1 /mnt/nfs/file1)"

# Changed, rewritten, truncated, extended while unbound.
expect "unbind for changes" 0 "$(ask unbind)"
printf changed | dd of=/srv/x/file1 conv=notrunc status=none
head -c 200000 /dev/urandom >/srv/x/file2
truncate -s 1000 /srv/x/file3
head -c 50000 /dev/urandom >>/srv/x/file4
sync
expect "bind after changes" 0 "$(ask bind)"
sleep 2
for n in 1 2 3 4; do
	expect "file$n" yes "$(yesno cmp /srv/x/file$n /mnt/nfs/file$n)"
done
expect "cached anew" yes "$(from_cache /mnt/nfs/file2)"
expect "data from the cache" yes "$(yesno cmp /srv/x/file2 /mnt/nfs/file2)"

expect "unbind at the end" 0 "$(ask unbind)"
umount $CACHE
expect "umount with the device open" 0 $?
umount /mnt/nfs
quiet
verdict
