#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.12
# Check: yes
# Timeout: 300
#
# A LOOP_CONFIGURE that is refused for its block size leaves the device as it was: it goes on to send
# uevents, and can be bound. 6.1 looks at the block size first.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
program loop_test uevent
kernel_silent
verdict
