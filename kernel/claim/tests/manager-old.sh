# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 160 300
# Timeout: 600
# Daemon: debian
# Stock: pass
#
# cachefilesd 0.10.10 as Debian ships it, culling. It aborts by chance where addresses are random.

. "$(dirname "$0")/lib"
. "$(dirname "$0")/manager.bash"
manager_test setarch -R cachefilesd -n -f /tmp/conf
quiet
verdict
