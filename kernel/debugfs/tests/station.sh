#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Station files, agg_status among them, against DEL_STATION and DEL_INTERFACE: a control.
#
# Stock: pass
# Together: patched stock
# Timeout: 2400

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario station && scenario station-interface
verdict
