#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# D1: the files of an interface are used while its type changes. 6.12 has its own wrappers.
#
# Stock: fail 6.12=pass
# Timeout: 1800

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
scenario type
verdict
