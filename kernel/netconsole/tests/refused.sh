#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N5: a device that netpoll refuses.  Stock 6.1: the target keeps a pointer to
# it, and when the device goes its reference count is put once too often.
#
# Bases: 6.1
# Stock: fail
# Timeout: 300

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
ip link add v0 type veth peer name v1
ip addr add 192.0.2.1/24 dev v0
ip link set v0 up
target t0 v0 && fail "veth was accepted"
mac=$(cat "$NCONF/t0/local_mac")
[ "$mac" = ff:ff:ff:ff:ff:ff ] || fail "the target shows $mac of a refused device"
ip link del v0 &
wait_for 60 test ! -e /proc/$!/comm || fail "the device does not go away"
rmdir "$NCONF/t0"
kernel_silent
verdict
