#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N2: targets are removed while their device goes away.  Stock 6.12: a target
# removed between being disabled and being cleaned takes its reference to the
# device with it, and the device never goes.  A control on 6.1.
#
# Bases: 6.1 6.12
# Stock: fail 6.1=pass
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/race" rmdir "${ROUNDS:-200}" 16 | tee /tmp/race
[ "${PIPESTATUS[0]}" = 0 ] || fail "$(tail -n 1 /tmp/race)"
dmesg | grep -o -m 1 'unregister_netdevice: waiting for .*' | sed 's/^/seen: /'
[ "$failed" = 1 ] || say "seen: ${ROUNDS:-200} rounds with 16 targets each"
kernel_silent
verdict
