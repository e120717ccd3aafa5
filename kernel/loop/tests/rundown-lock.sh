#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Timeout: 400
#
# Without the series the rundown of the last close is done under open_mutex: whoever opens the device
# meanwhile waits, and then succeeds. With it nothing is held, so that an open is turned away with
# ENXIO; one is enough to show it.
set -u

"$BIN/loop_test" nolock 500
