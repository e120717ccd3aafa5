#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Timeout: 900
#
# What lockdep has seen under open_mutex, and what others get in the middle of a rundown. lo_lock is
# taken in the rundown alone: without the series it is taken under open_mutex, and whoever opens the
# device meanwhile waits. With it nothing is held, and an open is turned away at once.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
program loop_test close 20
locks=$(under_open_mutex)
# lo_mutex is, on any kernel: the table has been read rightly.
grep -qx '&lo->lo_mutex' <<<"$locks" || fail "lockdep knows nothing of open_mutex"
grep -qx '&lo->lo_lock' <<<"$locks" && fail "the rundown runs under open_mutex: &lo->lo_lock below it"
echo "seen: $(wc -l <<<"$locks") locks next under open_mutex, of the driver: $(grep -E 'lo->|limits_lock' <<<"$locks" | paste -sd' ')"
program loop_meanwhile close 30
program loop_meanwhile clear 30
kernel_silent
verdict
