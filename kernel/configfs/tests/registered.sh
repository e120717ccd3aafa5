#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C2: groups registered below a node and below its default group go with the
# node.  Stock: lockdep takes it for recursion, and is off.
#
# Stock: fail
# Module-stock: lib/test_configfs *-selftests-*.patch

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/rounds" registered "${ROUNDS:-200}" || fail "rounds"
say "seen: debug_locks: $(sed -n 's/^ *debug_locks: *//p' /proc/lockdep_stats)"
dmesg | grep -m 1 -o 'WARNING: possible recursive.*' | sed 's/^/seen: /'
kernel_silent
verdict
