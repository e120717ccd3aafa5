# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.12
# Disks: 600 300
# Timeout: 300
# Together: patched
#
# M: 9p with cache=fscache writes a dirty mapping to the cache from munmap(), under mmap_lock. Where
# that takes freeze protection lockdep sees mmap_lock before sb_writers, the reverse of every write(2).

. "$(dirname "$0")/lib"
cache_mount ext4
server_disk
head -c 65536 /dev/urandom >/srv/x/file
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
p9_serve
p9_mount
expect "munmap of a dirty mapping" 0 "$("$BIN/munmap" /mnt/9p/file $CACHE/victim; echo $?)"
# A cookie that is in use is what the mapping is written to.
expect "the file is in the cache" yes "$(yesno grep -q ACTV /proc/fs/fscache/cookies)"
dmesg | grep -A 8 'possible circular' | grep -oE '\((sb_writers|&mm->mmap_lock|&sb->s_type->i_mutex)[^)]*\)' |
	sort -u | sed 's/^/seen: in the report: /'
quiet
verdict
