# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 500
# Together: patched
# Expect: CacheFiles: I/O Error
# Variants: ext4 xfs btrfs error
#
# A filesystem that becomes read-only by force, by sysrq-u or by an error of ext4 under load: the
# cache says that it is dead and can be unbound.

. "$(dirname "$0")/lib"

[ "$FS" = error ] && how=error FS=ext4 || how=sysrq
cache_mount "$FS"
nfs_serve
for n in $(seq 9); do
	head -c 100000 /dev/urandom >/srv/x/file"$n"
done
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
nfs_mount
cat /mnt/nfs/file1 >/dev/null
expect "alive" 0 "$(key dead)"

readonly_now() { grep -q " $CACHE $FS ro" /proc/mounts; }
dead() { [ "$(key dead)" = 1 ]; }
# The server's disk is read-only as well then; files that are there can be read. Nothing is dead
# before the cache has something to write.
load() {
	echo 3 >/proc/sys/vm/drop_caches
	cat /mnt/nfs/file? >/dev/null
	dead
}
if [ $how = sysrq ]; then
	echo u >/proc/sysrq-trigger
	wait_for 60 readonly_now || fail "sysrq-u made nothing read-only"
else
	(for n in $(seq 2 9); do cat "/mnt/nfs/file$n" >/dev/null; done) &
	loader=$!
	mount -o remount,errors=remount-ro $CACHE
	echo 1 >"/sys/fs/ext4/${DISK##*/}/trigger_fs_error"
	wait $loader
fi
wait_for 60 load
expect "dead after $how" 1 "$(key dead)"
expect "commands" EIO "$(ask nonsense)"
expect "unbind" 0 "$(ask unbind)"
[ "$failed" = 0 ] || verdict
expect "dead after unbind" 0 "$(key dead)"
expect "freeze" 0 "$(freeze $CACHE)"
expect "thaw" 0 "$(freeze -u $CACHE)"
if [ $how = sysrq ]; then
	expect "bind while read-only" EROFS "$(ask bind)"
	# ext4 does not do it where files were deleted meanwhile, and objects are.
	mount -o remount,rw $CACHE 2>/dev/null
	seen "remount,rw: $?"
else
	seen "bind after the error: $(ask bind)"
	ask unbind >/dev/null
fi
umount $CACHE
expect "umount" 0 $?
cache_mount "$FS"
expect "bind when writable again" 0 "$(ask bind)"
expect "cached again" yes "$(from_cache /mnt/nfs/file2)"
expect "data" yes "$(yesno cmp /srv/x/file2 /mnt/nfs/file2)"
quiet
verdict
