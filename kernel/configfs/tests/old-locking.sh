#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whether the stress would notice the deadlock of 2008: with rmdir(2) locking as
# then it must hang within a minute, and by itself rmdir(2) must still work.
#
# Scratch: old-locking
# Expect: possible recursive locking|blocked for more|WARNING: |BUG: |KASAN

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/rounds" registered 20 || fail "rmdir hangs or fails without a rename"
"$BIN/hammer" all 120 >/tmp/hammer
status=$?
cat /tmp/hammer
dmesg | grep -m 1 -o 'WARNING: possible recursive.*' | sed 's/^/seen: /'
[ $status = 3 ] || fail "nothing hangs: status $status"
dmesg -c >/dev/null
echo w >/proc/sysrq-trigger
dmesg | grep -oE '\<(configfs_rmdir|do_renameat2)[^+ ]*[+]' | sort | uniq -c >/tmp/stacks
say "seen: in the stacks of those that wait: $(paste -sd' ' /tmp/stacks | tr -s ' +' ' ')"
for call in configfs_rmdir do_renameat2; do
	grep -q $call /tmp/stacks || fail "no $call waits"
done
[ "$(sed -n 's/.* calls, \([0-9]*\) s after.*/\1/p' /tmp/hammer | head -n 1)" -le 60 ] ||
	fail "it took more than a minute"
verdict
