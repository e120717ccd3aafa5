# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# manager_test COMMAND...: a real manager, unmodified, on a cache that is too small for what is read:
# it culls, lives on, and the data is right.

manager_test() {
	local n daemon rounds=0 files=120

	cache_mount ext4
	nfs_serve
	for n in $(seq $files); do
		head -c 1000000 /dev/urandom >"/srv/x/file$n"
	done
	(cd /srv/x && sha256sum file*) >/tmp/sums
	printf 'dir %s\ntag test\nbrun 50%%\nbcull 45%%\nbstop 10%%\nfrun 7%%\nfcull 5%%\nfstop 1%%\n' $CACHE >/tmp/conf
	"$@" >/tmp/daemon.log 2>&1 &
	daemon=$!
	wait_for 60 test -d $CACHE/graveyard || {
		cat /tmp/daemon.log
		fail "no cache came into being"
		verdict
	}
	nfs_mount
	culled() { sed -n 's/^.*cull=\([0-9]*\).*/\1/p' /proc/fs/fscache/stats; }
	while [ $rounds -lt 3 ]; do
		(cd /mnt/nfs && sha256sum -c --quiet /tmp/sums) >/tmp/wrong 2>&1 || fail "sums: $(head -n 1 /tmp/wrong)"
		# Objects go out of use, and can be culled, some ten seconds after the last close.
		sync
		echo 3 >/proc/sys/vm/drop_caches
		sleep 13
		rounds=$((rounds + 1))
	done
	expect "the manager lives" yes "$(yesno kill -0 $daemon)"
	seen "culled: $(culled)"
	[ "$(culled)" -gt 10 ] || fail "nothing much was culled"
	expect "objects are left" yes "$([ "$(find $CACHE/cache -type f | wc -l)" -gt 5 ] && echo yes || echo no)"
	expect "sums" "" "$(cat /tmp/wrong)"
	kill $daemon
	wait $daemon 2>/dev/null
	expect "freeze when it has gone" 0 "$(freeze $CACHE)"
	expect "thaw" 0 "$(freeze -u $CACHE)"
}
