#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The same on 6.1, where another lock is taken: a control.
#
# Bases: 6.1
# Stock: pass
# Timeout: 900

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario aql
