#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Every file is read and written while everything comes and goes; two minutes.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 600

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario all 120s
