# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.12
# Disks: 600 300
# Timeout: 700
# Together: patched stock
#
# L: some ten seconds after a file's last close its object is dropped, and before that its attributes
# are set, under freeze protection: while the cache's filesystem is frozen, whoever opens the file waits.

. "$(dirname "$0")/lib"

# opens FILE: "opens" or, if it takes more than 20 s, "stalls".
opens() {
	# shellcheck disable=SC2016 # the shell that opens expands it
	bash -c ': <"$1"' opens "$1" &
	if wait_for 20 none kill -0 $!; then echo opens; else echo stalls; fi
}

# frozen_open FILE: freezes when the file has just been cached, and opens it when it is being dropped.
frozen_open() {
	local error

	cat "$1" >/dev/null
	error=$(freeze $CACHE)
	sleep 20
	echo "freeze=$error file=$(opens "$1")"
	grep -l cachefiles_set_object_xattr /proc/[0-9]*/stack 2>/dev/null | head -n 1 |
		sed 's/.*/seen: a worker waits in cachefiles_set_object_xattr/' >/tmp/waits
	[ "$error" != 0 ] || freeze -u $CACHE >/dev/null
}

cache_mount ext4
nfs_serve
for n in 1 2; do
	head -c 65536 /dev/urandom >/srv/x/file$n
done
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
nfs_mount
expect "open while frozen" "freeze=EAGAIN file=opens" "$(frozen_open /mnt/nfs/file1)"
cat /tmp/waits
[ "$failed" = 0 ] || verdict
expect "unbind" 0 "$(ask unbind)"
expect "unbound" "freeze=0 file=opens" "$(frozen_open /mnt/nfs/file2)"
quiet
verdict
