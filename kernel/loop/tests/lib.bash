# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For the guest scripts beside it: the driver is a module, and is loaded here.

# shellcheck source=/dev/null
. /lab/src/kernel/lib/guest.bash
modprobe loop || exit 77

# program NAME ARGUMENT...: one of the test programs; its last line on failure.
program() {
	local status

	"$BIN/$1" "${@:2}" 2>&1 | tee /tmp/said
	status=${PIPESTATUS[0]}
	[ "$status" = 0 ] || fail "${*}: status $status: $(grep -v '^seen: ' /tmp/said | tail -n 1)"
}

# unload: nothing uses the driver any more, and it goes.
unload() {
	wait_for 60 modprobe -r loop || fail "the module cannot be unloaded: $(lsmod | grep ^loop)"
	[ ! -e /sys/block/loop0 ] || fail "a device is left"
}

# leaks: kmemleak, where it is built in. It counts from the second scan on.
leaks() {
	local file=/sys/kernel/debug/kmemleak

	[ -w $file ] || return 0
	sleep 6
	echo scan >$file
	sleep 6
	echo scan >$file
	if grep -q 'unreferenced object' $file; then
		head -n 40 $file
		fail "kmemleak: $(grep -c 'unreferenced object' $file) objects"
	fi
}

# under_open_mutex: the locks that lockdep has seen taken next under the block layer's open_mutex, a
# line each.
under_open_mutex() {
	awk '/: &disk->open_mutex$/ { on = 1; next }
		on && / -> / { sub(/.*\] /, ""); print; next }
		on { exit }' /proc/lockdep
}
