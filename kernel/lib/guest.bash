#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel tests' guest scripts share.  A script sources it, does one
# thing, and ends with verdict.  BIN names the directory of the programs built
# from the test's C files, MODULES that of the modules its head names.
set -u
failed=0
# Scans by itself take seconds of an emulated processor, and stall RCU; those asked for still work.
{ echo scan=off >/sys/kernel/debug/kmemleak; } 2>/dev/null
MODULES=/lab/run/modules

# say TEXT: to the result and to the console's log
say()
{
	echo "$*"
	echo "<5>test: $*" >/dev/kmsg
}

# fail TEXT: notes it, and is false
fail()
{
	say "FAIL: $*"
	failed=1
	return 1
}

# wait_for SECONDS COMMAND...: until the command succeeds; the limit is
# generous, the machine is emulated
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# What a kernel says when something is wrong with it
bad_words='BUG:|WARNING:|Oops|KASAN|possible recursive|possible circular|inconsistent lock|INFO: task .* blocked|general protection|waiting for .* to become free|refcount_t|UBSAN|kmemleak: [0-9]+ new|bad unlock|held lock freed|suspicious RCU'

# kernel_silent: the log has none of these since boot, and lockdep, where it is
# built in, still works
kernel_silent()
{
	local locks

	if dmesg | grep -vE 'test: ' | grep -E "$bad_words"; then
		fail "the kernel complained"
	fi
	[ -e /proc/lockdep_stats ] || return 0
	locks=$(sed -n 's/^ *debug_locks: *//p' /proc/lockdep_stats)
	[ "$locks" = 1 ] || fail "lockdep is off"
}

# series_selftest KERNEL: runs the script that the series of this topic adds to the kernel's own tests
series_selftest()
{
	local dir passed base=${1#*-}

	dir=$(dirname "$0")/../${base%%-*}
	awk '/^diff --git/ { on = 0 } on && /^[+]/ { print substr($0, 2) } /^[+][+][+] .*[.]sh$/ { on = 1 }' \
		"$dir"/*-selftests-*.patch >/tmp/selftest.sh
	bash /tmp/selftest.sh | tee /tmp/selftest
	[ "${PIPESTATUS[0]}" = 0 ] || fail "the selftest: $(grep -m 1 '^not ok' /tmp/selftest)"
	passed=$(grep -c '^ok [^#]*$' /tmp/selftest)
	say "seen: $passed of $(sed -n 's/^1\.\.//p' /tmp/selftest) passed"
	[ "$passed" -gt 0 ] || fail "nothing was tested"
}

# verdict: the last line of a test
verdict()
{
	[ "$failed" = 0 ] && say PASS
	exit "$failed"
}
