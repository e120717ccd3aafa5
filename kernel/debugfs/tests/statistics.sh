#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# D2: the statistics of a radio are read while it goes away.
#
# Timeout: 1200

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario statistics
verdict
