# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.12
# Disks: 600 300
# Timeout: 300
#
# M: 9p with cache=fscache writes a dirty mapping to the cache from munmap(), under mmap_lock. Where
# that takes freeze protection lockdep sees mmap_lock before sb_writers, the reverse of every write(2).

. "$(dirname "$0")/lib"
command -v diod >/dev/null || { echo "no 9p server here"; exit 77; }
cache_mount ext4
mkfs.ext4 -q -F /dev/vdb
mkdir -p /srv/x /mnt/9p
mount /dev/vdb /srv/x || exit 77
head -c 65536 /dev/urandom >/srv/x/file
manager_start || exit 77
expect "bind" 0 "$(cache_bind)"
diod --foreground --no-auth --export /srv/x --listen 127.0.0.1:5640 --logdest stderr >/tmp/diod.log 2>&1 &
mounted() {
	mount -t 9p -o trans=tcp,port=5640,version=9p2000.L,cache=fscache,ignoreqv,aname=/srv/x,uname=root,access=any \
		127.0.0.1 /mnt/9p
}
until_true 60 mounted || { cat /tmp/diod.log; echo "9p does not mount"; exit 77; }
expect "munmap of a dirty mapping" 0 "$("$BIN/munmap" /mnt/9p/file $CACHE/victim; echo $?)"
# A cookie that is in use is what the mapping is written to.
expect "the file is in the cache" yes "$([ "$(find $CACHE/cache -type f | wc -l)" -gt 0 ] || grep -q ACTV /proc/fs/fscache/cookies && echo yes || echo no)"
quiet
exit $failed
