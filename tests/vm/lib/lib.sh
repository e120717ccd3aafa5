# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For scripts in guests: `. /lab/src/tests/vm/lib/lib.sh`. Saying, failing, waiting; the cache and
# the daemon are in cache.sh, NFS and 9p in net.sh, load and freezes in load.sh, all read from here.

set -u
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

# A line of output with the guest's uptime, also on the console.
log() {
	printf '[%6.1f] %s\n' "$(cut -d' ' -f1 /proc/uptime)" "$*"
	echo "case: $*" >/dev/kmsg
}

# Ends the case as failed.
fail() {
	printf 'FAIL: %s\n' "$*"
	echo "case: FAIL: $*" >/dev/kmsg
	declare -F fail_report >/dev/null && fail_report
	exit 1
}

# Ends the case as skipped.
skip() {
	printf '%s\n' "$*"
	exit 77
}

# expect WHAT CONDITION...: fails unless the command succeeds.
expect() {
	local what=$1

	shift
	"$@" || fail "$what"
}

# wait_for SECONDS WHAT CONDITION...: until the command succeeds; fails when it does not in that
# time. Guests are emulated and may starve: be generous.
wait_for() {
	local what=$2

	try_for "$1" "${@:3}" || fail "waited in vain for $1 s: $what"
}

# try_for SECONDS CONDITION...: the same, but returns 1 instead of failing.
try_for() {
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.2
	done
}

# mib BYTES: as "12.3 MiB".
mib() {
	awk -v b="$1" 'BEGIN { printf "%.1f MiB", (b > 0 ? b : 0) / 1048576 }'
}

drop_caches() {
	sync
	echo 3 >/proc/sys/vm/drop_caches
}

LIB=$(dirname "${BASH_SOURCE[0]}")
. "$LIB/cache.sh"
. "$LIB/net.sh"
. "$LIB/load.sh"
