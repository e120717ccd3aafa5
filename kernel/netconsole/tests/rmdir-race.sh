#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N2: targets are removed while their device goes away.  Stock 6.12: a target
# removed between being disabled and being cleaned takes its reference to the
# device with it, and the device never goes.
#
# Bases: 6.12
# Stock: fail
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/race" rmdir "${ROUNDS:-200}" 16 || fail "race: status $?"
kernel_silent
verdict
