#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What configfs' tests share beside guest.bash: the test subsystem of the
# series' last patch.  For a stock kernel it is built as a module by itself.
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/guest.bash"
ROOT=/sys/kernel/config/test_configfs

load()
{
	if [ -e "$MODULES/test_configfs.ko" ]; then
		insmod "$MODULES/test_configfs.ko"
	else
		modprobe test_configfs
	fi
}

control()
{
	echo "$*" >/sys/module/test_configfs/parameters/control
}

# empty: takes everything away that the hammer left, by few programs, as each takes long
# to start beside other stress; rmdir says what does not go
empty()
{
	local paths

	control undepend 2>/dev/null
	find "$ROOT" -type l -delete
	mapfile -t paths < <(find "$ROOT" -depth -mindepth 2 -type d -regex '.*/\(i[0-9]\|foreign\)')
	[ ${#paths[@]} = 0 ] || rmdir "${paths[@]}" || fail "items are not removed"
	paths=("$ROOT"/*/)
	[ ! -d "${paths[0]}" ] || rmdir "${paths[@]}" || fail "nodes are not removed"
}

load
[ -d "$ROOT" ] || {
	say "no test_configfs"
	exit 77
}
