#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The selftest that the series adds.
#
# Stock: fail
# Timeout: 900
# Module-stock: lib/test_configfs *-selftests-*.patch

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
series_selftest "$1"
kernel_silent
verdict
