#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Users of configfs in the tree, each made and torn down: netconsole's targets,
# null_blk's devices, a LUN of the SCSI target with its links, the sample; then
# their modules are unloaded.
#
# Stock: pass
# Together: patched stock
# Timeout: 1800

# shellcheck source=/dev/null
. "$(dirname "$0")/../../lib/guest.bash"
modprobe netconsole || fail "netconsole"
modprobe null_blk nr_devices=0 || fail "null_blk"
modprobe target_core_mod || fail "target_core_mod"
modprobe configfs_sample || fail "configfs_sample"
ip link add d0 up type dummy
"$BIN/users" "${ROUNDS:-200}" || fail "users"
if [ "$failed" = 0 ]; then
	rmmod configfs_sample || fail "configfs_sample is not unloaded"
	rmmod tcm_loop target_core_file target_core_mod || fail "the target is not unloaded"
	rmmod null_blk || fail "null_blk is not unloaded"
	rmmod netconsole || fail "netconsole is not unloaded"
	[ "$failed" = 1 ] || say "seen: all unloaded"
fi
ip link del d0
kernel_silent
verdict
