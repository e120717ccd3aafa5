#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Cancellation, automounts and annotation as KUnit sees them; stock does not have the suite.
#
# Check: yes
# Timeout: 300

# shellcheck source=/dev/null
. "$(dirname "$0")/scenario.bash"
kunit_passed cancel_none cancel_during cancel_before cancel_after cancel_two cancel_one_of_two \
	cancel_unused automount_removed annotation_unasked annotation_other
kernel_silent
verdict
