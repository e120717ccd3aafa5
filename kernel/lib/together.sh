# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Several tests of a topic one after the other in one guest: booting costs more than most of them.
# Left out are those that want a guest of their own: another kind or daemon, a command line, variants,
# a module or the kernel complaining. With "Together: KIND..." in its head a test says that it leaves a guest
# with such a kernel (patched, stock) as it was, in all its variants, whatever it makes the kernel say.
# The others run on kernels with the series. The guest's part is kernel/lib/together-guest.

# together_names TOPIC KERNEL: TOPIC/NAME or TOPIC/NAME:VARIANT.
together_names() {
	local name key kinds_of variant base
	base=$(kernel_base "$2")

	test_names "$1" | while read -r name; do
		[[ " $(test_key "$name" Bases "$BASES") " == *" $base "* ]] || continue
		kinds_of=$(test_key "$name" Together '')
		for key in Guest Append Variants Expect Daemon Module Scratch; do
			[ -n "$kinds_of" ] || [ -z "$(test_key "$name" $key '')" ] || continue 2
		done
		[[ " ${kinds_of:-patched} " == *" ${2%%-*} "* ]] || continue
		for variant in $(test_key "$name" Variants -); do
			[[ -z $chosen || $variant == - || $variant == "$chosen" ]] || continue
			[ "$variant" = - ] && variant='' || variant=:$variant
			printf '%s%s\n' "$name" "$variant"
		done
	done
}

# together_run KERNEL TOPIC/together - LOGDIR: like test_run, for all of them.
together_run() {
	local topic=${2%%/*} name names part value status ended count=0 passed=0 expect
	export M_KERNEL=$1 M_GUEST=quick M_CPUS=2 M_DAEMON=${LAB_DAEMON:-ours} M_LIVE='' M_DIR=$4
	M_TIMEOUT=0 M_MEMORY=1536 M_DISKS='' M_EXPECT='' M_APPEND="sysctl.kernel.hung_task_panic=0"
	M_SCRIPT=/lab/src/kernel/lib/together-guest
	mapfile -t names < <(together_names "$topic" "$1")
	M_ARGUMENTS=("$1" "${names[@]}")

	for name in "${names[@]%:*}"; do
		M_TIMEOUT=$((M_TIMEOUT + $(test_key "$name" Timeout 600)))
		value=$(test_key "$name" Memory 1536)
		[ "$value" -le "$M_MEMORY" ] || M_MEMORY=$value
		value=$(test_key "$name" Disks '')
		M_DISKS=$(together_disks "$M_DISKS" "$value")
		expect=$(test_key "$name" Expect '')
		[ -z "$expect" ] || M_EXPECT+="${M_EXPECT:+|}$expect"
	done
	test_programs "$topic" "$M_DIR/run/bin" >"$M_DIR.programs" 2>&1 || {
		machine_verdict "its programs do not compile: $(tail -n 1 "$M_DIR.programs")"
		return 126
	}
	machine_run
	status=$?
	for name in "${names[@]}"; do
		part=$M_DIR/part-${name#*/}
		mkdir -p "$part"
		tr -d '\r' <"$M_DIR/output" |
			sed -n "\\|^@@ begin $name\$|,\\|^@@ end $name |p" >"$part/output"
		ended=$(sed -n "s|^@@ end $name ||p" "$part/output")
		together_one "$name" "$1" "$part" "$ended"
		count=$((count + 1))
		[[ $ended != 0 && $ended != 77 ]] || passed=$((passed + 1))
	done
	echo "$passed of $count in one guest" >"$M_DIR/remark"
	return $status
}

# together_one TOPIC/NAME KERNEL DIR STATUS: its row. Of a test that did not end, that the guest did
# not come to its end is what is known; one that did not begin has no row.
together_one() {
	local all=$M_DIR
	local M_DIR=$3

	[ -s "$M_DIR/output" ] || return 0
	if [ -z "$4" ]; then
		cp "$all/verdict" "$M_DIR/verdict"
	else
		machine_verdict "$(grep -a '^FAIL: ' "$M_DIR/output" | tail -n 1)"
	fi
	[ -z "$record" ] || case $1 in
	*:*) test_record "${1%:*}" "$2" "${1##*:}" "${4:-124}" ;;
	*) test_record "$1" "$2" - "${4:-124}" ;;
	esac
}

# together_disks SIZES SIZES: of each disk the larger size.
together_disks() {
	local first=() second=() n
	read -r -a first <<<"$1"
	read -r -a second <<<"$2"

	for ((n = 0; n < ${#first[@]} || n < ${#second[@]}; n++)); do
		echo "$((${first[n]:-0} > ${second[n]:-0} ? ${first[n]:-0} : ${second[n]:-0}))"
	done | paste -sd' '
}
