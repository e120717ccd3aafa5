#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.1
# Timeout: 900
#
# LOOP_CLR_FD detaches while a partition is opened, or is called on a partition: no partition may be
# left behind on a device without a backing file. 6.12 detaches at the last close instead.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
program loop_test stale 200
program loop_test partition
kernel_silent
verdict
