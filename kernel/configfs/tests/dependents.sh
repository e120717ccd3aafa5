#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C1: a default group has a dependent, its parent is removed.  Stock: it goes,
# and the dependent's release follows a freed item.  Patched: EBUSY.
#
# Stock: fail
# Append: slub_debug=FZP

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
busy=0
for i in $(seq "${ROUNDS:-200}"); do
	mkdir "$ROOT/n0"
	control depend n0 || fail "depend"
	if rmdir "$ROOT/n0" 2>/dev/null; then
		fail "round $i: removed under its dependent"
		control undepend
		break
	fi
	busy=$((busy + 1))
	control undepend
	rmdir "$ROOT/n0" || fail "round $i: not removed without a dependent"
done
say "refused: $busy"
kernel_silent
verdict
