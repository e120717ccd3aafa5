#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether the stress would notice the deadlock of 2008: with rmdir(2) locking as
# then it must hang within a minute.
#
# Scratch: old-locking
# Expect: possible recursive locking|blocked for more|WARNING: |BUG: |KASAN

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/hammer" all 120 >/tmp/hammer
status=$?
cat /tmp/hammer
dmesg | grep -m 1 -o 'WARNING: possible recursive.*' | sed 's/^/seen: /'
[ $status = 3 ] || fail "nothing hangs: status $status"
[ "$(sed -n 's/.* calls, \([0-9]*\) s after.*/\1/p' /tmp/hammer | head -n 1)" -le 60 ] ||
	fail "it took more than a minute"
verdict
