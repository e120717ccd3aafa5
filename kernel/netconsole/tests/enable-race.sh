#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# N1: a target is enabled while its device goes away.  Stock: the next message
# follows a NULL device with the console locked, the machine is dead.
# Patched: the store fails with ENODEV and nothing else happens.
#
# The writer's synchronize_rcu() is made longer than the unregistration's
# expedited ones by a later start of the forced quiescent states.
#
# Bases: 6.1 6.12
# Stock: fail
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
echo 25 >/sys/module/rcutree/parameters/jiffies_till_first_fqs
"$BIN/race" enable "${ROUNDS:-200}" 1 || fail "race: status $?"
hits=$(dmesg | grep -c 'went away, not enabling')
say "ENODEV from the race: $hits"
[ "$hits" -gt 0 ] || fail "the race was never met"
kernel_silent
verdict
