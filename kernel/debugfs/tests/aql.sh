#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D5: aql_txq_limit is written while the radio goes away.
#
# Bases: 6.12
# Stock: fail
# Timeout: 900

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario aql
