#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Bases: 6.12
# Timeout: 400
#
# Zeroing that the image's file system, tmpfs, refuses, against writes to the queue's sysfs directory:
# neither may hang. 6.1 has no limits lock.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
mkdir -p /tmp/limits && mount -t tmpfs limits /tmp/limits && cd /tmp/limits || exit 2
program loop_test limits 60
kernel_silent
verdict
