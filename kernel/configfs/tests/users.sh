#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Users of configfs in the tree, each made and torn down: netconsole's targets,
# null_blk's devices and the sample.
#
# Stock: pass
# Timeout: 1800

# shellcheck source=/dev/null
. "$(dirname "$0")/../../lib/guest.bash"
C=/sys/kernel/config
ip link add d0 type dummy
ip addr add 192.0.2.1/24 dev d0
ip link set d0 up
netconsole()
{
	mkdir $C/netconsole/t0 || return
	echo d0 >$C/netconsole/t0/dev_name || return
	echo 192.0.2.1 >$C/netconsole/t0/local_ip || return
	echo 192.0.2.2 >$C/netconsole/t0/remote_ip || return
	echo 1 >$C/netconsole/t0/enabled || return
	echo 0 >$C/netconsole/t0/enabled || return
	rmdir $C/netconsole/t0
}
null_blk()
{
	[ -d $C/nullb ] || return 0
	mkdir $C/nullb/b0 || return
	echo 16 >$C/nullb/b0/size || return
	echo 1 >$C/nullb/b0/power || return
	rmdir $C/nullb/b0
}
sample()
{
	[ -d $C/03-group-children ] || return 0
	mkdir $C/03-group-children/g $C/03-group-children/g/i || return
	rmdir $C/03-group-children/g/i $C/03-group-children/g
}
done=0
for i in $(seq "${ROUNDS:-200}"); do
	for user in netconsole null_blk sample; do
		$user || fail "round $i: $user" || break 2
	done
	done=$i
done
say "rounds: $done, null_blk: $([ -d $C/nullb ] && echo yes), sample: $([ -d $C/03-group-children ] && echo yes)"
kernel_silent
verdict
