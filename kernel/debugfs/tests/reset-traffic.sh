#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# D7: frames are sent while a reset has the interface out of the driver. On 6.1 hwsim has no queues that
# mac80211 could ask it to send from. Skipped without CONFIG_PM.
#
# Stock: fail 6.1=pass
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
"$BIN/reset_traffic" 200
status=$?
[ $status != 4 ] || exit 77
[ $status = 0 ] || fail "reset_traffic: status $status"
kernel_silent
verdict
