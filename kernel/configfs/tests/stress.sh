#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything at once; and that the deadlock of rmdir(2) and rename(2) of 2008
# does not come back.
#
# Stock: fail
# Timeout: 1800
# Append: slub_debug=FZP

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
"$BIN/hammer" all "${SECS:-120}" || fail "hammer: status $?"
kernel_silent
verdict
