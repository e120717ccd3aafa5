#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bases: 6.1
# Timeout: 400
#
# LOOP_CLR_FD detaches while a partition is opened, or is called on a partition: no partition may be
# left behind on a device without a backing file. 6.12 detaches at the last close instead.
set -u
status=0

"$BIN/loop_test" stale 200 || status=1
"$BIN/loop_test" partition || status=1
exit $status
