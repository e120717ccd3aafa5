# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.1
# Disks: 600 300
# Timeout: 500
# Together: patched
#
# W: as freeze-mapped, with a dirty page of a 9p file that is being written back: 9p of Linux 6.1
# writes to the cache with the page locked.

. "$(dirname "$0")/lib"
cache_mount ext4
server_disk
for n in 1 2 3; do
	head -c 65536 /dev/urandom >/srv/x/file$n
done
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
p9_serve
p9_mount
cat /mnt/9p/file? >/dev/null
expect "control, no freeze" "freeze=none write=8192" "$("$BIN/deadlock" -w -n $CACHE/victim /mnt/9p/file1)"
expect "write against freeze" "freeze=EAGAIN write=8192" "$("$BIN/deadlock" -w $CACHE/victim /mnt/9p/file2)"
[ "$failed" = 0 ] || verdict
expect "frzref" 1 "$(key frzref)"
expect "unbind" 0 "$(ask unbind)"
expect "unbound" "freeze=0 write=8192" "$("$BIN/deadlock" -w $CACHE/victim /mnt/9p/file3)"
quiet
verdict
