#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Lockdep reports the deadlock of an annotated file, where asked for.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 300
# Append: debugfs_test.lockdep_report=1

set -u
# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
kunit_passed annotation_reports &&
	dmesg | grep -q 'possible circular locking dependency detected'
