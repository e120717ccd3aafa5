#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Bases: 6.12
# Timeout: 120
#
# A LOOP_CONFIGURE that is refused for its block size leaves the device as it was: it goes on to send
# uevents, and can be bound. 6.1 looks at the block size first.
set -u

"$BIN/loop_test" uevent
