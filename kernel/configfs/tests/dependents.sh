#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C1: a default group has a dependent, its parent is removed.  Stock: it goes,
# and the dependent's release follows a freed item.  Patched: EBUSY.
#
# Stock: fail
# Module-stock: lib/test_configfs *-selftests-*.patch

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/rounds" dependents "${ROUNDS:-200}" || fail "rmdir is not refused as it should be"
dmesg | grep -m 1 -o 'KASAN: .*' | sed 's/^/seen: /'
kernel_silent
verdict
