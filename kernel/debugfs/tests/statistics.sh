#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D2: the statistics of a radio are read while it goes away.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 900

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario statistics
