#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Every file is read and written while everything comes and goes; the kernel stays silent.
#
# Soak: yes
# Timeout: 1500
# Memory: 2048

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario all "${SECS:-120}s"
kernel_silent
verdict
