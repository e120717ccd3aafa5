#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Link files against REMOVE_LINK: a control.
#
# Bases: 6.12
# Stock: pass
# Together: patched stock
# Timeout: 1200

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario link
verdict
