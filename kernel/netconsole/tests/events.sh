#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Messages from both CPUs while devices of other targets come, go, are renamed,
# and join and leave a bond, a bridge and a team.  The target of the listener
# stays: every message must arrive there, once and whole.
#
# Stock: pass
# Timeout: 1800

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
[ -e /sys/class/misc/tun ] || exit 77 # CONFIG_TUN
SECS=${SECS:-120}
PAD=$(printf '%060d' 0 | tr 0 M)
echo on >/proc/sys/kernel/printk_devkmsg
listener nct0 sequence /tmp/counts || fail "listener"
target keep nct0 || fail "enabling"

# messages CPU: numbered, until the file is gone; the last number is its result
messages()
{
	local n=0

	while [ -e /tmp/go ]; do
		n=$((n + 1))
		echo "<4>seq $1 $n $PAD end" >/dev/kmsg
		[ $((n % 20)) != 0 ] || sleep 0.05
	done
	echo "$n" >"/tmp/sent$1"
}

# events KIND: one device after the other, each with a target
events()
{
	local i=0 dev target=ev$1

	case $1 in
	bond | bridge | team) ip link add "m$1" type "$1" && ip link set "m$1" up ;;
	esac
	while [ -e /tmp/go ]; do
		i=$((i + 1))
		dev=e${1:0:3}$((i % 1000))
		ip link add "$dev" type dummy
		[ "$1" != rename ] || ip addr add 192.0.2.1/24 dev "$dev"
		ip link set "$dev" up
		target "$target" "$dev"
		case $1 in
		bond)
			ip link set "$dev" down
			ip link set "$dev" master mbond
			ip link set "$dev" nomaster
			;;
		bridge | team)
			ip link set "$dev" down
			ip link set "$dev" master "m$1"
			[ $((i % 2)) = 0 ] || ip link set "$dev" nomaster
			;;
		rename)
			ip link set "$dev" down
			ip link set "$dev" name "r$dev"
			dev=r$dev
			grep -q "$dev" "$NCONF/$target/dev_name" ||
				fail "not renamed"
			ip link set "$dev" up
			;;
		down)
			ip link set "$dev" down
			ip link set "$dev" up
			;;
		esac
		ip link del "$dev" &
		[ $((i % 3)) = 0 ] || echo 0 >"$NCONF/$target/enabled"
		rmdir "$NCONF/$target"
		wait $!
	done 2>/dev/null
	echo "$i" >"/tmp/events.$1"
}

touch /tmp/go
for cpu in 0 1; do
	(
		taskset -pc $cpu $BASHPID >/dev/null
		messages $cpu
	) &
	pids+=($!)
done
for kind in bond bridge team rename down; do
	events $kind &
	pids+=($!)
done
end=$((SECONDS + SECS))
while [ "$SECONDS" -lt "$end" ]; do
	sleep 1
done
rm /tmp/go
for pid in "${pids[@]}"; do
	wait "$pid" || fail "a part failed"
done
arrived()
{
	[ "$(counted /tmp/counts last0)" = "$(cat /tmp/sent0)" ] &&
		[ "$(counted /tmp/counts last1)" = "$(cat /tmp/sent1)" ]
}
# the console may be behind; the listener writes its counts with what arrives
echo "<4>the end" >/dev/kmsg
wait_for 120 eval 'echo "<4>the end" >/dev/kmsg; sleep 1; arrived' ||
	fail "not all arrived"
say "sent: $(cat /tmp/sent0) $(cat /tmp/sent1); $(cat /tmp/counts)"
for kind in bond bridge team rename down; do
	say "$kind: $(cat /tmp/events.$kind) devices"
	[ "$(cat /tmp/events.$kind)" -gt 0 ] || fail "no $kind"
done
[ "$(counted /tmp/counts torn)" = 0 ] || fail "torn messages"
[ "$(counted /tmp/counts missing)" = 0 ] || fail "messages are missing"
[ "$(counted /tmp/counts repeated)" = 0 ] || fail "messages came twice"
kernel_silent
verdict
