# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 160 300
# Timeout: 600
# Together: patched stock
# Stock: pass
#
# The daemon of this project, culling; its own tests have the rest.

. "$(dirname "$0")/lib"
. "$(dirname "$0")/manager.bash"
manager_test cachefilesd -n -f /tmp/conf
quiet
verdict
