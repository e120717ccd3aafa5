#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bases: 6.12
# Timeout: 400
#
# Zeroing that the image's file system, tmpfs, refuses, against writes to the queue's sysfs directory:
# neither may hang. 6.1 has no limits lock.
set -u
mkdir -p /tmp/limits && mount -t tmpfs limits /tmp/limits || exit 2
cd /tmp/limits || exit 2

"$BIN/loop_test" limits 60
