# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 500
# Expect: CacheFiles: I/O Error
#
# A filesystem that becomes read-only by force: the cache says that it is dead and can be unbound.

. "$(dirname "$0")/lib"
cache_mount ext4
nfs_serve
for n in 1 2 3; do
	head -c 100000 /dev/urandom >/srv/x/file$n
done
manager_start || exit 77
expect "bind" 0 "$(cache_bind)"
nfs_mount
cat /mnt/nfs/file1 >/dev/null
expect "alive" 0 "$(key dead)"

readonly_now() { grep -q " $CACHE ext4 ro" /proc/mounts; }
echo u >/proc/sysrq-trigger
until_true 60 readonly_now
# The server's disk is read-only as well now; files that are there can be read. Nothing is dead
# before the cache has something to write.
dead() { [ "$(key dead)" = 1 ]; }
write_something() {
	cat /mnt/nfs/file2 /mnt/nfs/file3 >/dev/null
	dead
}
until_true 60 write_something
expect "dead after sysrq-u" 1 "$(key dead)"
expect "commands" EIO "$(ask nonsense)"
expect "unbind" 0 "$(ask unbind)"
expect "dead after unbind" 0 "$(key dead)"
expect "bind while read-only" EROFS "$(ask bind)"
mount -o remount,rw $CACHE
expect "remount,rw" 0 $?
expect "bind when writable again" 0 "$(ask bind)"
expect "data through NFS" "$(sha256sum </srv/x/file2)" "$(sha256sum </mnt/nfs/file2)"
quiet
exit $failed
