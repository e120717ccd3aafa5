#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N6: targets are disabled while their device goes away.  Stock 6.12: a target
# that the event has cleaned already may be cleaned again, through a NULL
# device; whether it comes to that is left to luck here.
#
# Bases: 6.12
# Stock: pass
# Together: patched stock
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/race" disable "${ROUNDS:-200}" 16 | tee /tmp/race
[ "${PIPESTATUS[0]}" = 0 ] || fail "$(tail -n 1 /tmp/race)"
[ "$failed" = 1 ] || say "seen: ${ROUNDS:-200} rounds with 16 targets each"
kernel_silent
verdict
