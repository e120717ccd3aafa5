# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 300 300
# Bases: 6.1
# Timeout: 400
# Together: patched stock
# Stock: pass
#
# What 9p does by itself, with the series and without: a write while no cache is bound leaves an
# old copy behind it, and with a server that has no versions nobody can tell later. No series here
# changes that; the soak keeps clear of it, and this would notice if it became different.

. "$(dirname "$0")/lib"

cache_mount "$FS"
server_disk
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
p9_serve
p9_mount
head -c 200000 /dev/zero | tr '\0' a >/srv/x/file
expect "cached" yes "$(from_cache /mnt/9p/file)"

# Without a cache: as when its daemon is restarted.
manager_stop
sleep 2
head -c 200000 /dev/zero | tr '\0' b | dd of=/mnt/9p/file bs=200000 iflag=fullblock conv=notrunc status=none
sync
expect "the server has it" b "$(head -c 1 /srv/x/file)"
manager_start || exit 77
expect "bind again" 0 "$(cache_bind 0)"
sync
echo 3 >/proc/sys/vm/drop_caches
expect "read by 9p from the old copy" a "$(head -c 1 /mnt/9p/file)"
expect "read on the server" b "$(head -c 1 /srv/x/file)"
verdict
