#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Stock: pass
# Together: patched stock
# Timeout: 1200
#
# A control: the module is unloaded while a device is closed for the last time, again and again.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
program loop_meanwhile unload 30
kernel_silent
leaks
verdict
