#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N3: local_mac is read while the device goes away.  The module has a delay
# between loading the pointer and following it.  Stock: the device is freed
# meanwhile, and its address is read from freed memory.  Patched: the device
# waits for the reader.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 600
# Module: drivers/net/netconsole delay-mac.diff

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
rounds=${ROUNDS:-10}
for i in $(seq "$rounds"); do
	ip link add d0 type dummy
	ip addr add 192.0.2.1/24 dev d0
	ip link set d0 up
	want=$(cat /sys/class/net/d0/address)
	target t0 d0 || fail "enabling"
	cat "$NCONF/t0/local_mac" >/tmp/mac &
	reader=$!
	# let it get into its delay: a reader that comes late finds no device
	sleep 1
	ip link del d0 &
	wait "$reader" || fail "the reader died"
	wait $!
	got=$(cat /tmp/mac)
	[ "$got" = "$want" ] || fail "round $i: read $got, not $want" || break
	rmdir "$NCONF/t0"
done
[ "$failed" = 0 ] && say "seen: $rounds rounds, each read the address of its device"
dmesg | grep -m 1 -o 'KASAN: .*' | sed 's/^/seen: /'
kernel_silent
verdict
