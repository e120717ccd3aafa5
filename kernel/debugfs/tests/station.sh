#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Station files, agg_status among them, against DEL_STATION and DEL_INTERFACE.
#
# Bases: 6.1 6.12
# Stock: pass
# Timeout: 1200

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario station && scenario station-interface
