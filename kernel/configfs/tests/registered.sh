#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C2: groups registered below a node and below its default group go with the
# node.  Stock: lockdep takes it for recursion, and is off.
#
# Stock: fail
# Module-stock: lib/test_configfs *-selftests-*.patch

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
rounds=${ROUNDS:-200}
for i in $(seq "$rounds"); do
	mkdir "$ROOT/n0"
	control register n0 || fail "register"
	[ -d "$ROOT/n0/reg/d" ] || fail "round $i: reg/d is not there"
	[ -d "$ROOT/n0/a/deep" ] || fail "round $i: a/deep is not there"
	[ $((i % 2)) = 0 ] || control unregister n0 || fail "unregister"
	rmdir "$ROOT/n0" || fail "round $i: not removed"
done
say "seen: $rounds rounds, debug_locks: $(sed -n 's/^ *debug_locks: *//p' /proc/lockdep_stats)"
dmesg | grep -m 1 -o 'WARNING: possible recursive.*' | sed 's/^/seen: /'
kernel_silent
verdict
