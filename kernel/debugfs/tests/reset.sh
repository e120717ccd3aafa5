#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D3: a radio is reset while it goes away. Skipped without CONFIG_PM.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 900

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario reset
