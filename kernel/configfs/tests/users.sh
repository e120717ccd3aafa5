#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Users of configfs in the tree, each made and torn down: netconsole's targets,
# null_blk's devices, a LUN of the SCSI target with its links, the sample.
#
# Stock: pass
# Together: patched stock
# Timeout: 1800

# shellcheck source=/dev/null
. "$(dirname "$0")/../../lib/guest.bash"
C=/sys/kernel/config
T=$C/target
N=$T/loopback/naa.5001405000000001/tpgt_1
modprobe netconsole || fail "netconsole"
modprobe null_blk nr_devices=0 || fail "null_blk"
modprobe target_core_mod || fail "target_core_mod"
modprobe configfs_sample || fail "configfs_sample"
ip link add d0 type dummy
ip addr add 192.0.2.1/24 dev d0
ip link set d0 up
netconsole()
{
	mkdir $C/netconsole/t0 && echo d0 >$C/netconsole/t0/dev_name &&
		echo 192.0.2.1 >$C/netconsole/t0/local_ip &&
		echo 192.0.2.2 >$C/netconsole/t0/remote_ip &&
		echo 1 >$C/netconsole/t0/enabled &&
		echo 0 >$C/netconsole/t0/enabled && rmdir $C/netconsole/t0
}
null_blk()
{
	mkdir $C/nullb/b0 && echo 16 >$C/nullb/b0/size &&
		echo 1 >$C/nullb/b0/power && [ -b /dev/b0 ] || return
	rmdir $C/nullb/b0 && [ ! -e /dev/b0 ]
}
scsi_target()
{
	mkdir -p $T/core/fileio_0/f0 &&
		echo "fd_dev_name=/tmp/lun,fd_dev_size=1048576" >$T/core/fileio_0/f0/control &&
		echo 1 >$T/core/fileio_0/f0/enable && mkdir -p $N &&
		echo naa.5001405000000002 >$N/nexus && mkdir $N/lun/lun_0 &&
		ln -s $T/core/fileio_0/f0 $N/lun/lun_0/port || return
	# what is linked to stays
	! rmdir $T/core/fileio_0/f0 2>/dev/null || return
	rm $N/lun/lun_0/port && rmdir $N/lun/lun_0 && rmdir $N && rmdir "${N%/*}" &&
		rmdir $T/loopback && rmdir $T/core/fileio_0/f0 && rmdir $T/core/fileio_0
}
sample()
{
	mkdir $C/03-group-children/g $C/03-group-children/g/i || return
	rmdir $C/03-group-children/g/i $C/03-group-children/g
}
# rounds USER: its status is 0 when all of them were done
rounds()
{
	local i

	for i in $(seq "$ROUNDS"); do
		"$1" || fail "round $i: $1" || return
	done
}
ROUNDS=${ROUNDS:-200}
# side by side: what they have in common is configfs
for user in netconsole null_blk scsi_target sample; do
	rounds $user &
	running+=($!)
done
for pid in "${running[@]}"; do
	wait "$pid" || failed=1
done
if [ "$failed" = 0 ]; then
	rmmod configfs_sample || fail "configfs_sample is not unloaded"
	rmmod tcm_loop target_core_file target_core_mod || fail "the target is not unloaded"
	rmmod null_blk || fail "null_blk is not unloaded"
	rmmod netconsole || fail "netconsole is not unloaded"
fi
[ "$failed" = 1 ] ||
	say "seen: netconsole, null_blk, SCSI target, sample made and torn down $ROUNDS times each, then unloaded"
kernel_silent
verdict
