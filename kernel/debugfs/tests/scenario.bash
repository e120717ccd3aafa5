# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For the guest scripts beside it. KUnit's results come from the kernel log, everything else from
# the hammer, whose status 4 means that the kernel lacks what the scenario is about.

# shellcheck source=/dev/null
. /lab/src/kernel/lib/guest.bash

# How long a round may take; where hanging is what is expected, nobody need wait for long.
case ${1:-} in
stock-*) export HANG_SECONDS=60 ;;
*)
	export HANG_SECONDS=180
	echo 120 >/proc/sys/kernel/hung_task_timeout_secs
	;;
esac

# scenario NAME [ROUNDS|SECONDSs]
scenario() {
	local status out

	# No pipe: a hammer that hangs for good would keep it open
	"$BIN/wiphy_debugfs" "$@" >/tmp/scenario
	status=$?
	out=$(</tmp/scenario)
	echo "$out"
	sed -nE "s/^(PASS|FAIL) [^:]*: ([^:]*): /seen: \2: /p" <<<"$out"
	[ $status != 4 ] || exit 77
	[ $status = 0 ] || fail "${out##*$'\n'}"
}

# kunit_passed CASE...: each has run in the suite "debugfs" and passed; "skipped" does not
# count. A kernel built without the suite skips.
kunit_passed() {
	local log case

	if ! zcat /proc/config.gz 2>/dev/null | grep -qx CONFIG_DEBUG_FS_KUNIT_TEST=y; then
		echo "the kernel is built without CONFIG_DEBUG_FS_KUNIT_TEST"
		exit 77
	fi
	log=$(dmesg | sed -n '/# Subtest: debugfs$/,/ok [0-9]* - debugfs$\|ok [0-9]* debugfs$/p')
	for case; do
		if ! grep -E "ok [0-9]+ (- )?$case\$" <<<"$log" | grep -vq 'not ok'; then
			fail "KUnit case $case: $(grep -E " $case( |\$)" <<<"$log" || echo 'not in the log')"
			return 1
		fi
	done
	echo "seen: KUnit cases passed: $*"
}
