#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N1: a target is enabled while its device goes away.  Stock: the target is left
# enabled without a device, the next message follows a NULL pointer with the
# console locked, and the machine is dead.  Patched: the store fails with ENODEV
# and nothing else happens.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 1500
# Append: preempt=none

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
# netconsole's own remarks are no messages that kill: race sends that one
dmesg -n 5
# What the deletion needs must not wait for the CPU that the hog has
echo -1 >/proc/sys/kernel/sched_rt_runtime_us
echo 0 >/proc/sys/kernel/timer_migration
for process in /proc/[0-9]*; do
	read -r name <"$process/comm" || continue
	[[ $name != rcu_* ]] || taskset -p 2 "${process#/proc/}" >/dev/null 2>&1
done 2>/dev/null
rounds=${ROUNDS:-200}
"$BIN/race" enable "$rounds" 1 | tee /tmp/race
[ "${PIPESTATUS[0]}" = 0 ] || fail "race"
hits=$(sed -n 's/.*enodev=//p' /tmp/race)
said=$(dmesg | grep -c 'went away, not enabling')
say "seen: $rounds rounds, ENODEV in $hits, so said by the kernel in $said"
[ "${hits:-0}" -gt 0 ] || fail "the race was never met"
kernel_silent
verdict
