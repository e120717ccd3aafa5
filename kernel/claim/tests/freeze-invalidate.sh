# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 500
# Together: patched
# Check: yes
#
# I: as freeze-mapped, with a file that has changed on the server, so that the cache has to replace
# its object, which it does under the filesystem's freeze protection.

. "$(dirname "$0")/lib"
cache_mount ext4
nfs_serve
for n in 1 2 3; do
	head -c 65536 /dev/urandom >/srv/x/file$n
done
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
nfs_mount
cat /mnt/nfs/file? >/dev/null
expect "control, no freeze" "freeze=none write=8192" \
	"$("$BIN/deadlock" -i /srv/x/file1 -n $CACHE/victim /mnt/nfs/file1)"
expect "write against freeze" "freeze=EAGAIN write=8192" \
	"$("$BIN/deadlock" -i /srv/x/file2 $CACHE/victim /mnt/nfs/file2)"
[ "$failed" = 0 ] || verdict
expect "frzref" 1 "$(key frzref)"
expect "unbind" 0 "$(ask unbind)"
expect "unbound" "freeze=0 write=8192" "$("$BIN/deadlock" -i /srv/x/file3 $CACHE/victim /mnt/nfs/file3)"
quiet
verdict
