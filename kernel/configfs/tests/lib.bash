#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What configfs' tests share beside guest.bash: the test subsystem of the
# series' last patch.  A stock kernel has it by that patch alone.
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/guest.bash"
ROOT=/sys/kernel/config/test_configfs
[ -d "$ROOT" ] || modprobe -q test_configfs
[ -d "$ROOT" ] || {
	say "no test_configfs"
	exit 77
}

control()
{
	echo "$*" >/sys/module/test_configfs/parameters/control
}
