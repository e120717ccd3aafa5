#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# C3: symlink(2) against rmdir(2) of its target.  Stock 6.1: the target's item
# is used after it was freed.  A control on 6.12.
#
# Bases: 6.1
# Stock: fail
# Append: slub_debug=FZP

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/hammer" links "${SECS:-60}" || fail "hammer: status $?"
kernel_silent
verdict
