#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# D4: the tsf file of an IBSS interface must not sleep under a rwlock.
#
# Bases: 6.1
# Timeout: 600

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario tsf
verdict
