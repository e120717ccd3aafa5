#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Stock: pass
# Together: patched stock
# Timeout: 600
#
# A control, and a figure to compare: how long the last close of an autoclear device takes, to its return
# in user space. What counts are runs by turns without and with the series on a machine that does
# nothing else.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
program loop_test close 300
kernel_silent
verdict
