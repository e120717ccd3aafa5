#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Everything at once, over and over, with all removed and the module unloaded in
# between; and that the deadlock of rmdir(2) and rename(2) of 2008 does not come
# back.
#
# Stock: fail
# Soak: yes
# Module-stock: lib/test_configfs *-selftests-*.patch
# Timeout: 1800

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
part=30 times=0
declare -A total
end=$((SECONDS + ${SECS:-120}))
while [ "$SECONDS" -lt "$end" ] && [ "$failed" = 0 ]; do
	"$BIN/hammer" all $part >/tmp/hammer
	status=$?
	[ $status = 0 ] || fail "hammer: status $status: $(tail -n 1 /tmp/hammer)"
	while read -r kind _ calls; do
		kind=${kind%:}
		total[$kind]=$((${total[$kind]:-0} + ${calls#done=}))
	done < <(grep calls= /tmp/hammer)
	[ "$failed" = 0 ] || break
	empty
	rmmod test_configfs || fail "the module is not unloaded"
	[ "$failed" = 0 ] && load
	times=$((times + 1))
done
seen=''
for kind in "${!total[@]}"; do
	seen+=" $kind ${total[$kind]}"
done
say "seen: calls that succeeded:$seen; unloaded $times times"
kernel_silent
verdict
