#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N3: local_mac is read while the device goes away.  For a kernel built with
# delay-mac.sed, which sleeps between loading the pointer and following it;
# boot with slub_debug=FZP and set DELAYED.  Stock: the device is freed
# meanwhile, and the address is read from poison.  Patched: the device waits for
# the reader.
#
# Bases: 6.1 6.12
# Stock: pass
# Timeout: 300
# Append: slub_debug=FZP

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
[ -n "${DELAYED:-}" ] || exit 77 # by hand, on the build described above
for i in $(seq "${ROUNDS:-3}"); do
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
	say "round $i: $got"
	[ "$got" = "$want" ] || [ "$got" = ff:ff:ff:ff:ff:ff ] ||
		fail "neither $want nor the broadcast address"
	rmdir "$NCONF/t0"
done
kernel_silent
verdict
