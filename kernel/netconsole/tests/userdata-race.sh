#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N4, 6.12 only: userdata is rewritten while messages are sent.  Stock:
# datagrams with a part of it, or a mixture.  Patched: each has all of it.
#
# Bases: 6.12
# Stock: fail
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
[ -e /sys/class/misc/tun ] || exit 77 # CONFIG_TUN
listener nct0 userdata /tmp/counts || fail "listener"
target t0 nct0 1 || fail "enabling"
letters() { printf "%0190d" 0 | tr 0 "$1"; }
mkdir "$NCONF/t0/userdata/u0" "$NCONF/t0/userdata/u1"
A=$(letters A) B=$(letters B)
echo "$A" >"$NCONF/t0/userdata/u0/value"
echo "$A" >"$NCONF/t0/userdata/u1/value"
echo on >/proc/sys/kernel/printk_devkmsg
(
	while :; do
		echo "$A" >"$NCONF/t0/userdata/u1/value"
		echo "$B" >"$NCONF/t0/userdata/u1/value"
	done
) &
writer=$!
n=0
while [ "$n" -lt "${ROUNDS:-20000}" ]; do
	echo "<4>userdata-test $n" >/dev/kmsg
	n=$((n + 1))
done
kill $writer
listener_end || fail "torn datagrams"
say "$(cat /tmp/counts)"
[ "$(counted /tmp/counts checked)" -ge "$n" ] || fail "datagrams are missing"
kernel_silent
verdict
