#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Link files against REMOVE_LINK.
#
# Bases: 6.12
# Stock: pass
# Timeout: 900

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario link
