#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C2: groups registered below a node and below its default group go with the
# node.  Stock: lockdep takes it for recursion, and is off.
#
# Stock: fail

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
for i in $(seq "${ROUNDS:-200}"); do
	mkdir "$ROOT/n0"
	control register n0 || fail "register"
	[ -d "$ROOT/n0/reg/d" ] || fail "round $i: reg/d is not there"
	[ -d "$ROOT/n0/a/deep" ] || fail "round $i: a/deep is not there"
	[ $((i % 2)) = 0 ] || control unregister n0 || fail "unregister"
	rmdir "$ROOT/n0" || fail "round $i: not removed"
done
kernel_silent
verdict
