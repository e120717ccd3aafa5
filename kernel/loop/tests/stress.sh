#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Stock: pass
# Timeout: 1800
#
# Everything that can meet a rundown, for STRESS seconds. What the kernel log then says is for the
# runner to judge, which looks for reports after each test.
set -u

"$BIN/loop_stress" "${STRESS:-120}" || exit 1
! dmesg | grep -E 'WARNING:|BUG:|possible (circular|recursive)|blocked for more than'
