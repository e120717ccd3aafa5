#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C5: mkdir(2) whose callback depends on an item of another subsystem, against a
# rename(2) from the root to the same directory.  Stock: the two deadlock, and
# all of configfs with them.
#
# Stock: fail
# Module-stock: lib/test_configfs *-selftests-*.patch

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/hammer" foreign "${SECS:-60}" >/tmp/hammer || fail "hammer: status $?"
say "seen: $(sed 's/^seen: //' /tmp/hammer | paste -sd' ')"
[ "$failed" = 1 ] || empty
kernel_silent
verdict
