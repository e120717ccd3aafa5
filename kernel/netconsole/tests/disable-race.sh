#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N6: targets are disabled while their device goes away.  Stock 6.12: a target
# that the event has cleaned already is cleaned again, through a NULL device.
#
# Bases: 6.12
# Stock: pass
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/race" disable "${ROUNDS:-200}" 16 || fail "race: status $?"
kernel_silent
verdict
