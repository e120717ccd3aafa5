#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C3: symlink(2) against rmdir(2) of its target.  Stock 6.1: the target's item
# is used after it was freed.  A control on 6.12.
#
# Bases: 6.1 6.12
# Stock: fail 6.12=pass
# Module-stock: lib/test_configfs *-selftests-*.patch

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/hammer" links "${SECS:-60}" >/tmp/hammer || fail "hammer: status $?"
say "seen: $(paste -sd' ' /tmp/hammer)"
dmesg | grep -m 1 -o 'KASAN: .*' | sed 's/^/seen: /'
[ "$failed" = 1 ] || empty
kernel_silent
verdict
