#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Stock: pass
# Soak: yes
# Timeout: 1800
# Memory: 2048
#
# Everything that can meet a rundown; the kernel stays silent, and the module can be unloaded after it.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
mkdir -p /tmp/loop && cd /tmp/loop || exit 2
program loop_stress "${SECS:-120}"
kernel_silent
# In a soak others may use the driver, and the leaks are looked for at its end.
if [ "${2:-}" != soak ]; then
	unload
	leaks
fi
verdict
