# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The soak: the tests whose head says "# Soak: yes", of all topics, side by side in one guest on a
# kernel with the series. The guest's part is kernel/lib/soak-guest.

# soak_names TOPIC...
soak_names() {
	local name

	test_names "$@" | while read -r name; do
		[ "$(test_key "$name" Soak no)" != yes ] || printf '%s\n' "$name"
	done
}

kernel_soak() {
	local base kernel

	install_packages apply build
	install_for build vm
	for base in $bases; do
		memo "kernel-patched-$base" kernel_dir "patched-$base" >/dev/null || say "no kernel patched-$base"
	done
	SOAK_TOPICS=$*
	vm_batch 2 "${checks:-0}" soak_run < <(for base in $bases; do
		echo "patched-$base soak ${seconds}s"
	done)
	[ -n "${LAB_PART:-}" ] || report_end
}

# soak_run KERNEL soak SECONDSs LOGDIR
soak_run() {
	local name topic disks status
	export M_KERNEL=$1 M_GUEST=quick M_CPUS=2 M_DAEMON=ours M_LIVE='' M_DIR=$4
	M_TIMEOUT=$((${3%s} * 2 + 900)) M_MEMORY=3072 M_DISKS='' M_EXPECT=''
	M_APPEND="sysctl.kernel.hung_task_panic=0"
	M_SCRIPT=/lab/src/kernel/lib/soak-guest
	M_ARGUMENTS=("$1" "${3%s}")

	# shellcheck disable=SC2086 # a list of words
	for name in $(soak_names $SOAK_TOPICS); do
		topic=${name%%/*}
		[[ " $(test_key "$name" Bases "$BASES") " == *" ${1#*-} "* ]] || continue
		test_programs "$topic" "$M_DIR/run/bin/$topic" >"$M_DIR.programs" 2>&1 || {
			machine_verdict "the programs of $topic do not compile"
			return 126
		}
		# Which disk is its first, by number.
		M_ARGUMENTS+=("$name=$(wc -w <<<"$M_DISKS")")
		disks=$(test_key "$name" Disks '')
		M_DISKS+=" $disks"
	done
	machine_run
	status=$?
	grep -a '^soak: ' "$M_DIR/output" | tr -d '\r' | paste -sd' ' >"$M_DIR/remark"
	[ -z "$record" ] || for name in "${M_ARGUMENTS[@]:2}"; do
		soak_record "${name%=*}" "$1" "$3" $status
	done
	return $status
}

# soak_record TOPIC/NAME KERNEL DURATION STATUS: the topic's row, from its part of the output.
soak_record() {
	local all=$M_DIR
	local M_DIR=$all/part-${1%%/*}

	mkdir -p "$M_DIR"
	cp "$all/verdict" "$M_DIR/"
	tr -d '\r' <"$all/output" | sed -n "s/^${1%%/*}: //p" >"$M_DIR/output"
	test_record "${1%%/*}/soak" "$2" "$3" "$4"
}
