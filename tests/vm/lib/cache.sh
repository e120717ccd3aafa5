# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The cache's filesystem, the daemon on it, and what is in the cache.

CACHE=/var/cache/fscache
CONF=/tmp/cachefilesd.conf
DAEMON_LOG=/tmp/cachefilesd.log
DAEMON_PID=

# cache_make DEVICE ext4|xfs|btrfs [MOUNTOPTION]: makes the filesystem and mounts it at CACHE. Ages
# are kept exactly (strictatime), all space is ours.
cache_make() {
	case $2 in
	ext4) mkfs.ext4 -q -F -m 0 -E lazy_itable_init=0 "$1" ;;
	xfs) mkfs.xfs -q -f "$1" ;;
	# Small ones run out of one kind of block groups long before the other, unless mixed.
	btrfs) mkfs.btrfs -q -f -M "$1" ;;
	*) fail "no filesystem $2" ;;
	esac || fail "mkfs of $2 on $1"
	mkdir -p "$CACHE"
	modprobe -q "$2"
	mount -t "$2" -o "strictatime${3:+,$3}" "$1" "$CACHE" || fail "mount of $2 on $1"
}

# cache_conf [LINE...]: writes the configuration, these lines last.
cache_conf() {
	printf '%s\n' "dir $CACHE" "tag lab" "$@" >"$CONF"
}

# Starts the daemon in the foreground mode, output to DAEMON_LOG; more arguments are passed on.
daemon_start() {
	modprobe -q cachefiles
	cachefilesd -n -s -f "$CONF" "$@" >>"$DAEMON_LOG" 2>&1 &
	DAEMON_PID=$!
}

daemon_alive() {
	[ "$DAEMON_PID" ] && kill -0 "$DAEMON_PID" 2>/dev/null
}

# A bound cache shows in the kernel's list, state A.
cache_bound() {
	awk 'NR > 2 && $6 == "A" { found = 1 } END { exit !found }' /proc/fs/fscache/caches
}

cache_gone() {
	! cache_bound
}

# Starts the daemon and waits until the cache is bound.
daemon_up() {
	daemon_start "$@"
	wait_for 120 "the daemon binds its cache" cache_bound_or_dead
	cache_bound || fail "the daemon ended: $(tail -n 1 "$DAEMON_LOG")"
}

cache_bound_or_dead() {
	cache_bound || ! daemon_alive
}

# Ends the daemon in order, waits for it, and fails unless its status was 0.
daemon_down() {
	local code

	kill -TERM "$DAEMON_PID"
	wait_for 120 "the daemon ends on SIGTERM" daemon_ended
	wait "$DAEMON_PID"
	code=$?
	DAEMON_PID=
	[ $code = 0 ] || fail "the daemon ended with status $code"
}

daemon_ended() {
	! daemon_alive
}

# CPU time the daemon used, in seconds; also of all its threads that ended.
daemon_cpu() {
	awk -v hz="$(getconf CLK_TCK)" '{ sub(/^.*\) /, ""); printf "%.2f\n", ($12 + $13) / hz }' \
		"/proc/${1:-$DAEMON_PID}/stat"
}

# Free space as the kernel counts it for the limits, in per mille of the filesystem's blocks.
cache_avail() {
	# What was deleted on btrfs is free after a commit.
	sync -f "$CACHE"
	stat -f -c '%a %b' "$CACHE" | awk '{ printf "%d\n", $1 * 1000 / $2 }'
}

cache_avail_at_least() {
	[ "$(cache_avail)" -ge "$1" ]
}

# The objects: "ATIME BLOCKS(of 512) PATH" a line, oldest first. New objects have a name only after
# the kernel let go of the file: unmount first.
cache_objects() {
	find "$CACHE/cache" -type f -printf '%A@ %b %P\n' 2>/dev/null | sort -n
}

cache_object_count() {
	find "$CACHE/cache" -type f 2>/dev/null | wc -l
}

# Whether no object is open in the kernel any more.
cache_idle() {
	awk 'NR > 2 && $4 != 0 { busy = 1 } END { exit busy }' /proc/fs/fscache/caches
}

# kernel_stat GROUP KEY: a number of /proc/fs/fscache/stats, such as NoSpace cull; 0 if not there.
kernel_stat() {
	awk -v group="$1" -v key="$2" '$1 == group || $1 == group ":" {
		for (i = 2; i <= NF; i++) if (split($i, kv, "=") == 2 && kv[1] == key) value = kv[2]
	} END { print value + 0 }' /proc/fs/fscache/stats
}

# culled_are_oldest BEFORE: compares such a list from before with what there is. Every object that
# went must be at least as old as every one that stayed. Prints "WENT STAYED WENTBLOCKS"; returns 1
# when not, with the first that should not have gone. Debian's old daemon knows whole seconds only.
culled_are_oldest() {
	local blur=0

	[ "$LAB_DAEMON" = ours ] || blur=1
	find "$CACHE/cache" -type f -printf '%P\n' | sort >/tmp/objects.now
	awk -v blur=$blur 'NR == FNR { there[$1] = 1; next }
		$3 in there { if (!stayed++) { oldest = $1; name = $3 } next }
		{ went++; blocks += $2; if (stayed && $1 > oldest + blur) {
			if (!wrong++) printf "%s of %s went, but %s of %s stayed\n", $3, $1, name, oldest } }
		END { if (wrong) exit 1; printf "%d %d %d\n", went, stayed, blocks }' \
		/tmp/objects.now "$1"
}

# What is worth seeing when a case fails.
fail_report() {
	echo "--- the end of the daemon's log"
	tail -n 25 "$DAEMON_LOG" 2>/dev/null
	echo "--- kernel"
	cat /proc/fs/fscache/caches /proc/fs/fscache/stats 2>/dev/null
	df "$CACHE" 2>/dev/null
	dmesg | grep -iE 'cachefiles|fs-cache|fscache' | tail -n 10
}
