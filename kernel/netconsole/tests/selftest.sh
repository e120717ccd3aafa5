#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The selftest that the series adds.
#
# Stock: fail
# Timeout: 900
# Module: net/hsr/hsr hsr.diff

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
insmod "$MODULES/hsr.ko"
series_selftest "$1"
kernel_silent
verdict
