#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Messages from both CPUs while devices of other targets come, go, are renamed,
# and join and leave a bond, a bridge and a team.  The targets of the listeners
# stay, a plain and an extended one: every message must arrive at both, once and
# whole, before the events, among them and after them.
#
# Stock: pass
# Soak: yes
# Timeout: 1800
# Memory: 2048

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
SECS=${SECS:-120}
KINDS="bond bridge team rename down"
dir=$(mktemp -d)
PAD=$(printf '%060d' 0 | tr 0 M)
echo on >/proc/sys/kernel/printk_devkmsg
listener nct0 sequence "$dir/counts.plain" || fail "listener"
plain=$LISTENER
listener nct1 sequence "$dir/counts.extended" || fail "listener"
extended=$LISTENER
target keep0 nct0 || fail "enabling"
target keep1 nct1 1 || fail "enabling"

# messages CPU: numbered, until the file is gone; the last number is its result
messages()
{
	local n=0

	while [ -e "$dir/talk" ]; do
		n=$((n + 1))
		echo "<4>seq $1 $n $PAD end" >/dev/kmsg
		[ $((n % 20)) != 0 ] || {
			echo "$n" >"$dir/sent$1"
			sleep 0.05
		}
	done
	echo "$n" >"$dir/sent$1"
}

sent()
{
	echo $(($(cat "$dir/sent0") + $(cat "$dir/sent1")))
}

enabled()
{
	cat "$NCONF/$1/enabled"
}

# must WHAT COMMAND...: what has to succeed whatever else goes on
must()
{
	local what=$1

	shift
	"$@" || echo "$what" >>"$dir/wrong"
}

# one KIND NUMBER: a device with a target goes through what the kind says
one()
{
	local dev=e${1:0:3}$(($2 % 1000)) target=ev$1

	ip link add "$dev" type dummy
	ip addr add 192.0.2.1/24 dev "$dev"
	ip link set "$dev" up
	must "enabling on $dev" target "$target" "$dev"
	case $1 in
	bond | bridge | team)
		ip link set "$dev" down
		must "$dev joins" ip link set "$dev" master "m$1"
		# a team tells nobody: there the target stays with the port
		[ "$1" = team ] || must "$1: enabled after joining" [ "$(enabled "$target")" = 0 ]
		# of a bond, the master is told when a device is released
		if [ "$1" = bond ]; then
			must "enabling on the bond" target evmaster mbond
			must "$dev leaves" ip link set "$dev" nomaster
			must "enabled after release" [ "$(enabled evmaster)" = 0 ]
			rmdir "$NCONF/evmaster"
		fi
		[ $(($2 % 2)) = 0 ] || ip link set "$dev" nomaster
		;;
	rename)
		ip link set "$dev" down
		ip link set "$dev" name "r$dev"
		dev=r$dev
		must "dev_name is not $dev" grep -q "$dev" "$NCONF/$target/dev_name"
		ip link set "$dev" up
		;;
	down)
		ip link set "$dev" down
		ip link set "$dev" up
		;;
	esac
	ip link del "$dev" &
	[ $(($2 % 3)) = 0 ] || echo 0 >"$NCONF/$target/enabled"
	must "rmdir $target" rmdir "$NCONF/$target"
	must "$dev is deleted" wait $!
	must "$dev is gone" [ ! -e "/sys/class/net/$dev" ]
}

# events KIND: one device after the other, as long as the file is there
events()
{
	local i=0

	while [ -e "$dir/go" ]; do
		i=$((i + 1))
		one "$1" $i
	done 2>"$dir/errors.$1"
	echo "$i" >"$dir/events.$1"
}

# arrived KIND: the listener has the last of both
arrived()
{
	[ "$(counted "$dir/counts.$1" last0)" = "$(cat "$dir/sent0")" ] &&
		[ "$(counted "$dir/counts.$1" last1)" = "$(cat "$dir/sent1")" ]
}

# everywhere: asks again and again, as the console may be behind, and the
# listeners write their counts with what arrives
everywhere()
{
	echo "<4>events: who has all?" >/dev/kmsg
	sleep 1
	arrived plain && arrived extended
}

for kind in bond bridge team; do
	ip link add "m$kind" type "$kind" || fail "no $kind"
	ip addr add 192.0.2.1/24 dev "m$kind"
	ip link set "m$kind" up
done
touch "$dir/talk" "$dir/go"
echo 0 | tee "$dir/sent0" >"$dir/sent1"
for cpu in 0 1; do
	(
		taskset -pc $cpu $BASHPID >/dev/null
		messages $cpu
	) &
	talkers+=($!)
done
sleep 5
before=$(sent)
for kind in $KINDS; do
	events "$kind" &
	movers+=($!)
done
sleep "$SECS"
rm "$dir/go"
wait "${movers[@]}"
during=$(($(sent) - before))
sleep 5
rm "$dir/talk"
wait "${talkers[@]}"
after=$(($(sent) - before - during))
wait_for 120 everywhere || fail "not all arrived"
listener_end "$plain"
listener_end "$extended"
say "seen: $before messages before, $during during, $after after the events"
for kind in plain extended; do
	say "seen: $kind: $(cat "$dir/counts.$kind")"
	for what in torn missing repeated; do
		[ "$(counted "$dir/counts.$kind" $what)" = 0 ] || fail "$kind: messages are $what"
	done
	[ "$(counted "$dir/counts.$kind" checked)" = "$(sent)" ] || fail "$kind: not all were counted"
done
for phase in $before $during $after; do
	[ "$phase" -gt 0 ] || fail "a phase without messages"
done
for kind in $KINDS; do
	counts+=" $kind $(cat "$dir/events.$kind")"
	[ "$(cat "$dir/events.$kind")" -gt 0 ] || fail "no $kind"
done
say "seen: devices:${counts:-}"
if [ -s "$dir/wrong" ]; then
	sort "$dir/wrong" | uniq -c
	fail "$(head -n 1 "$dir/wrong")"
	head -n 5 "$dir"/errors.*
fi
rmdir "$NCONF/keep0" "$NCONF/keep1" || fail "rmdir"
for kind in bond bridge team; do
	ip link del "m$kind"
done
kernel_silent
verdict
