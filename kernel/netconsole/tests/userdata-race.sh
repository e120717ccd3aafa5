#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N4, 6.12 only: userdata is rewritten while messages are sent.  Stock:
# datagrams with a part of it, or a mixture.  Patched: each has all of it.
#
# Bases: 6.12
# Stock: fail
# Timeout: 600

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
listener nct0 userdata /tmp/counts || fail "listener"
target t0 nct0 1 || fail "enabling"
letters() { printf "%0190d" 0 | tr 0 "$1"; }
mkdir "$NCONF/t0/userdata/u0" "$NCONF/t0/userdata/u1"
A=$(letters A) B=$(letters B)
echo "$A" >"$NCONF/t0/userdata/u0/value"
echo "$A" >"$NCONF/t0/userdata/u1/value"
echo on >/proc/sys/kernel/printk_devkmsg
taskset -p 1 $$ >/dev/null
(
	taskset -p 2 $BASHPID >/dev/null
	while :; do
		echo "$A" >"$NCONF/t0/userdata/u1/value"
		echo "$B" >"$NCONF/t0/userdata/u1/value"
	done
) &
writer=$!
n=0 end=$((SECONDS + ${SECS:-60}))
while [ "$SECONDS" -lt "$end" ]; do
	echo "<4>userdata-test $n" >/dev/kmsg
	n=$((n + 1))
done
kill $writer
listener_end "$LISTENER"
say "seen: sent $n; $(cat /tmp/counts)"
[ "$(counted /tmp/counts torn)" = 0 ] || fail "torn datagrams"
[ "$(counted /tmp/counts checked)" = "$n" ] || fail "datagrams are missing"
kernel_silent
verdict
