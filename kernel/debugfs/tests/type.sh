#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# D1: the files of an interface are used while its type changes.
#
# Bases: 6.1
# Stock: fail
# Timeout: 900

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario type
