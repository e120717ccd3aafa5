#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# D3: a radio is reset while it goes away. Skipped without CONFIG_PM.
#
# Timeout: 1200

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario reset
verdict
