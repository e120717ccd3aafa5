#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Lockdep reports the deadlock of an annotated file, where asked for. The report is what is wanted; a
# kernel without the series does not have the case.
#
# Timeout: 300
# Append: debugfs_test.lockdep_report=1
# Expect: possible circular locking dependency

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
kunit_passed annotation_reports && dmesg | grep -q 'possible circular locking dependency detected' &&
	echo "seen: lockdep reports the removal that was asked for, with no handler running"
verdict
