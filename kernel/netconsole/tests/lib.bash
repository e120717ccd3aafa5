#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# What netconsole's tests share beside guest.sh.
# shellcheck source=/dev/null
. "$(dirname "${BASH_SOURCE[0]}")/../../lib/guest.bash"
NCONF=/sys/kernel/config/netconsole
# The module of the head is in the place of the kernel's
if [ -e "$MODULES/netconsole.ko" ]; then
	insmod "$MODULES/netconsole.ko"
else
	modprobe -q netconsole
fi
[ -d "$NCONF" ] || {
	say "no netconsole"
	exit 77
}

# target NAME DEVICE [EXTENDED]: makes a target and enables it
target()
{
	mkdir "$NCONF/$1" || return 1
	echo "$2" >"$NCONF/$1/dev_name" && echo "${3:-0}" >"$NCONF/$1/extended" &&
		echo 192.0.2.1 >"$NCONF/$1/local_ip" && echo 192.0.2.2 >"$NCONF/$1/remote_ip" ||
		return 1
	[ ! -e "$NCONF/$1/release" ] || echo 0 >"$NCONF/$1/release"
	echo 1 >"$NCONF/$1/enabled"
}

# listener DEVICE CHECK FILE: starts the program on a TAP device, which is up
# when this returns; LISTENER is its process
listener()
{
	# nothing but messages may be sent on it, see listen.c
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	rm -f "$3"
	"${BIN:?}/listen" "$@" &
	LISTENER=$!
	wait_for 60 test -e "$3" || return 1
	ip addr add 192.0.2.1/24 dev "$1"
	ip link set "$1" arp off up
}

# listener_end PROCESS: ends it, its status is the answer.  The signal may come
# just before it goes to sleep in read(2): again until it is gone.
listener_end()
{
	sleep 1 # for the last datagrams
	while kill "$1" 2>/dev/null; do
		sleep 0.1
	done
	wait "$1"
}

# counted FILE WHAT: the number after "WHAT=".  Without a program: they take
# seconds to start beside other stress
counted()
{
	local text

	text=$(<"$1")
	[[ " $text" =~ [^a-z]$2=([0-9]+) ]] && printf '%s\n' "${BASH_REMATCH[1]}"
}
