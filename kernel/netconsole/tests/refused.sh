#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N5: a device that netpoll refuses, one of HSR's.  Stock 6.1: the target keeps a
# pointer to it, and when the device goes its reference count is put once too
# often.  A control on 6.12.
#
# Bases: 6.1 6.12
# Stock: fail 6.12=pass
# Timeout: 600
# Module: net/hsr/hsr hsr.diff

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
insmod "$MODULES/hsr.ko"
ip link add d0 type dummy
ip link add d1 type dummy
ip link add h0 type hsr slave1 d0 slave2 d1 || fail "no HSR"
ip addr add 192.0.2.1/24 dev h0
ip link set h0 up
target t0 h0 2>/dev/null && fail "HSR's device was accepted"
mac=$(cat "$NCONF/t0/local_mac")
say "seen: local_mac after the refusal: $mac"
[ "$mac" = ff:ff:ff:ff:ff:ff ] || fail "the target shows the address of a refused device"
ip link del h0 &
wait_for 60 test ! -e /proc/$!/comm || fail "the device does not go away"
dmesg | grep -o -m 1 'unregister_netdevice: waiting for .*' | sed 's/^/seen: /'
kernel_silent
[ "$failed" = 1 ] || rmdir "$NCONF/t0"
verdict
