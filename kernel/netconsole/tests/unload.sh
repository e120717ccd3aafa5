#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The module goes, with targets made by its parameter, while their device goes
# too and messages flow.
#
# Bases: 6.1 6.12
# Stock: pass
# Together: patched stock
# Timeout: 900

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
rounds=${ROUNDS:-50}
rmmod netconsole || fail "rmmod"
touch /tmp/go
# a wait that starts no program
exec {never}<> <(:)
while [ -e /tmp/go ]; do
	echo "<4>unload" >/dev/kmsg
	read -r -t 0.05 -u "$never"
done &
messages=$!
for i in $(seq "$rounds"); do
	ip link add d0 up type dummy
	modprobe netconsole "netconsole=6665@192.0.2.1/d0,6666@192.0.2.2/;+6667@192.0.2.1/d0,6668@192.0.2.2/" ||
		fail "round $i: modprobe" || break
	# one of them has its directory and is changed from there, where there is that
	[ $((i % 3)) != 0 ] || { mkdir "$NCONF/cmdline0" && rmdir "$NCONF/cmdline0"; } ||
		fail "round $i: cmdline0" || break
	if [ $((i % 2)) = 0 ]; then
		ip link del d0 &
		rmmod netconsole || fail "round $i: rmmod" || break
	else
		rmmod netconsole &
		ip link del d0 || fail "round $i: ip" || break
	fi
	wait $! || fail "round $i: the other" || break
	[ ! -e /sys/module/netconsole ] || fail "round $i: still loaded" || break
done
rm /tmp/go
wait "$messages"
[ "$failed" = 1 ] || say "seen: loaded and unloaded $rounds times, the device deleted at the same time"
kernel_silent
verdict
