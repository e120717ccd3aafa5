#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same on 6.12, whose own wrappers cover these files: a control.
#
# Bases: 6.12
# Stock: pass
# Timeout: 900

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario type
