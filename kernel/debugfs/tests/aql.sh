#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# D5: aql_txq_limit is written while the radio goes away. 6.1 takes another lock there.
#
# Stock: fail 6.1=pass
# Timeout: 1200

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario aql
verdict
