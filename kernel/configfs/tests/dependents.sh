#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C1: a default group has a dependent, its parent is removed.  Stock: it goes,
# and the dependent's release follows a freed item.  Patched: EBUSY.
#
# Stock: fail
# Module-stock: lib/test_configfs *-selftests-*.patch

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
busy=0
for i in $(seq "${ROUNDS:-200}"); do
	mkdir "$ROOT/n0"
	control depend n0 || fail "depend"
	if rmdir "$ROOT/n0" 2>/tmp/error; then
		fail "round $i: removed under its dependent"
		control undepend
		break
	fi
	grep -q 'Device or resource busy' /tmp/error || fail "round $i: $(cat /tmp/error)"
	[ -d "$ROOT/n0/a/b" ] || fail "round $i: a part is missing"
	busy=$((busy + 1))
	control undepend
	rmdir "$ROOT/n0" || fail "round $i: not removed without a dependent"
done
say "seen: EBUSY in $busy rounds"
dmesg | grep -m 1 -o 'KASAN: .*' | sed 's/^/seen: /'
kernel_silent
verdict
