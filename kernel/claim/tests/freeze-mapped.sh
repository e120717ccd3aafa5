# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.1
# Disks: 600 300
# Timeout: 500
# Together: patched
# Check: yes
#
# R: write(2) to the cache's filesystem from a page of a cached file, against a freeze. Linux 6.12
# unlocks the page before it goes to the cache, and so is not hit.

. "$(dirname "$0")/lib"
cache_mount ext4
nfs_serve
for n in 1 2 3; do
	head -c 8192 /dev/urandom >/srv/x/file$n
done
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
nfs_mount
expect "control, no freeze" "freeze=none write=8192" "$("$BIN/deadlock" -n $CACHE/victim /mnt/nfs/file1)"
expect "write against freeze" "freeze=EAGAIN write=8192" "$("$BIN/deadlock" $CACHE/victim /mnt/nfs/file2)"
[ "$failed" = 0 ] || verdict
expect "frzref" 1 "$(key frzref)"
expect "unbind" 0 "$(ask unbind)"
expect "unbound" "freeze=0 write=8192" "$("$BIN/deadlock" $CACHE/victim /mnt/nfs/file3)"
quiet
verdict
