#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N1: a target is enabled while its device goes away.  Stock: the target is left
# enabled without a device, the next message follows a NULL pointer with the
# console locked, and the machine is dead.  Patched: the store fails with ENODEV
# and nothing else happens.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
# threads NAME COMMAND...: runs it with the process of each thread of that name
threads()
{
	local process name

	for process in /proc/[0-9]*; do
		read -r name <"$process/comm" || continue
		# shellcheck disable=SC2053 # a pattern
		[[ $name != $1 ]] || "${@:2}" "${process#/proc/}" >/dev/null 2>&1
	done 2>/dev/null
}
preempt=/sys/kernel/debug/sched/preempt
before=$(sed 's/.*(\(.*\)).*/\1/' $preempt)
# The hog starts where the writer sleeps, not before
echo none >$preempt || fail "the kernel has no dynamic preemption"
# netconsole's own remarks are no messages that kill: race sends that one
dmesg -n 5
runtime=$(sysctl -n kernel.sched_rt_runtime_us)
sysctl -q kernel.sched_rt_runtime_us=-1 kernel.timer_migration=0
# What the deletion needs must not wait for the CPU that the hog has: SRCU's work is CPU 0's
threads 'rcu_*' taskset -p 2
threads 'kworker/0:*' chrt -f -p 60
rounds=${ROUNDS:-200}
"$BIN/race" enable "$rounds" 1 | tee /tmp/race
[ "${PIPESTATUS[0]}" = 0 ] || fail "race"
hits=$(sed -n 's/.*enodev=//p' /tmp/race)
said=$(dmesg | grep -c 'went away, not enabling')
say "seen: $rounds rounds, ENODEV in $hits, so said by the kernel in $said"
threads 'rcu_*' taskset -p 3
threads 'kworker/0:*' chrt -o -p 0
sysctl -q kernel.sched_rt_runtime_us="$runtime" kernel.timer_migration=1
dmesg -n 6
echo "$before" >$preempt
[ "${hits:-0}" -gt 0 ] || fail "the race was never met"
kernel_silent
verdict
