#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Messages from both CPUs while devices of other targets come, go, are renamed,
# and join and leave a bond, a bridge and a team.  The targets of the listeners
# stay, a plain and an extended one: every message must arrive at both, once and
# whole, before the events, among them and after them.
#
# Stock: pass
# Soak: yes
# Together: patched stock
# Timeout: 1800
# Memory: 2048

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
dir=$(mktemp -d)
echo on >/proc/sys/kernel/printk_devkmsg
listener nct0 sequence "$dir/counts.plain" || fail "listener"
plain=$LISTENER
listener nct1 sequence "$dir/counts.extended" || fail "listener"
extended=$LISTENER
target keep0 nct0 || fail "enabling"
target keep1 nct1 1 || fail "enabling"
for kind in bond bridge team; do
	ip link add "m$kind" up type "$kind" || fail "no $kind"
done

# arrived KIND: the listener has the last of both
arrived()
{
	for number in last0 last1; do
		[ "$(counted "$dir/counts.$1" $number)" = "$(counted "$dir/sent" $number)" ] || return
	done
}

# everywhere: asks again and again, as the console may be behind, and the
# listeners write their counts with what arrives
everywhere()
{
	echo "<4>events: who has all?" >/dev/kmsg
	sleep 1
	arrived plain && arrived extended
}

# all in all so long, the set-up included, which takes long beside other stress
SECS=${SECS:-120}
"$BIN/events" $((SECS > 2 * SECONDS ? SECS - SECONDS : SECS / 2)) >"$dir/events" || fail "events: $(grep -m 1 wrong "$dir/events")"
grep -v '^sent: ' "$dir/events"
grep '^sent: ' "$dir/events" >"$dir/sent"
wait_for 60 everywhere || fail "not all arrived"
listener_end "$plain"
listener_end "$extended"
sent=$(($(counted "$dir/sent" last0) + $(counted "$dir/sent" last1)))
for kind in plain extended; do
	say "seen: $kind: $(cat "$dir/counts.$kind")"
	for what in torn missing repeated; do
		[ "$(counted "$dir/counts.$kind" $what)" = 0 ] || fail "$kind: messages are $what"
	done
	[ "$(counted "$dir/counts.$kind" checked)" = "$sent" ] || fail "$kind: not all were counted"
done
rmdir "$NCONF/keep0" "$NCONF/keep1" || fail "rmdir"
for kind in bond bridge team; do
	ip link del "m$kind"
done
kernel_silent
verdict
