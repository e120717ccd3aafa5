# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# tests/run check, unit, full and coverage: which steps in which order.

CHECK_KERNELS="debian-6.1 debian-6.12"
CHECK_PATCHED="patched-6.1 patched-6.12"

command_check() {
	no_arguments "$@"
	check_all
	report_end
}

check_all() {
	local prepare kernel status
	say "logs: $LAB_LOGS"
	install_for build check vm
	# Kernels with the series take long to build the first time; everything else goes on meanwhile.
	# No job of this shell: vm_batch counts and waits for those.
	{
		nice -n 10 "$LAB_SRC/kernel/run" build -k patched >"$LAB_LOGS/kernels.log" 2>&1 3>&1
		echo $? >"$LAB_LOGS/kernels.status"
	} &
	disown
	build_here
	trap 'rm -rf "$LAB_BUILD"' EXIT

	# Downloads and the guests' Debian meanwhile.
	# shellcheck disable=SC2086 # lists of words
	vm_prepare $CHECK_KERNELS >"$LAB_LOGS/prepare.log" 2>&1 3>>"$LAB_LOGS/prepare.log" &
	prepare=$!
	check_gates
	check_builds
	step "unit tests" build_tests gcc
	step "unit tests, sanitizers" tests_sanitized
	step "fuzz: the control socket, 20 s" "$LAB_SRC/tests/fuzz/run" 20

	say "making what guests need"
	wait $prepare
	status=$?
	if [ $status != 0 ]; then
		report fail "guests prepared" 0 "$LAB_LOGS/prepare.log" "nothing can run in a guest"
		return
	fi
	vm_batch 2 1 < <(check_plan $CHECK_KERNELS)
	say "kernels with the series"
	until [ -s "$LAB_LOGS/kernels.status" ]; do
		sleep 1
	done
	if [ "$(cat "$LAB_LOGS/kernels.status")" != 0 ]; then
		report fail "kernels with the series" 0 "$LAB_LOGS/kernels.log"
		return
	fi
	vm_batch 2 1 < <(check_plan $CHECK_PATCHED)
	LAB_PART=1 "$LAB_SRC/kernel/run" test -k patched --check ||
		report fail "tests of the series" 0 "$LAB_LOGS" "kernel/run test did not get to its end"
	# The others' stress waits for what it has found; see their cover letters.
	LAB_PART=1 "$LAB_SRC/kernel/run" soak -s 120 --check loop configfs ||
		report fail "soak of the series" 0 "$LAB_LOGS" "kernel/run soak did not get to its end"
}

# check_plan KERNEL...: lines "KERNEL CASE VARIANT" of the cases for these kernels, of their variants
# those that check runs.
check_plan() {
	local kernel name variant words

	for kernel; do
		while read -r name variant; do
			words=$(case_key "$name" Check all)
			[[ $words == all || " $words " == *" $variant "* ]] &&
				printf '%s %s %s\n' "$kernel" "$name" "$variant"
		done < <(case_expand "$kernel")
	done
}

check_gates() {
	step "gate: formatting" gate_format
	step "gate: licence lines" gate_licence
	step "gate: length of files" gate_length
	step "gate: words" gate_words
	step "gate: shell" gate_shell
	step "gate: python" gate_python
	step "gate: versions" gate_versions
	if [ -x "$LAB_SRC/kernel/run" ]; then
		step "gate: patches apply to 6.1" gate_kernel 6.1
		step "gate: patches apply to 6.12" gate_kernel 6.12
	fi
}

check_builds() {
	step "build: gcc" build gcc
	step "build: clang" build_clang
	step "build: -O0" build O0 -Doptimization=0
	# The tests replace functions when they are linked, which these two do not bear.
	step "build: -O3 without assertions" build O3 -Doptimization=3 -Db_ndebug=true -Dtests=false
	step "build: link time optimisation" build lto -Db_lto=true -Dtests=false
	step "build: without systemd" build nosystemd -Dsystemd=disabled
	step "build: 32 bit" build_32
	step "build: sanitizers" build_sanitized
	step "install" build_install
	step "gate: unit" gate_unit "$LAB_BUILD/gcc/units/cachefilesd.service"
	step "gate: manual" gate_manual "$LAB_BUILD/gcc/cachefilesd/cachefilesd" \
		"$LAB_BUILD/gcc/cachefilesctl/cachefilesctl"
}

command_unit() {
	no_arguments "$@"
	install_for build
	build_here
	trap 'rm -rf "$LAB_BUILD"' EXIT
	step "build: gcc" build gcc
	step "unit tests" build_tests gcc
	report_end
}

command_full() {
	local kernel

	no_arguments "$@"
	check_all
	packaging_all
	# What check leaves out.
	step "fuzz: the control socket, 2 hours" "$LAB_SRC/tests/fuzz/run" 7200
	step "10,000 random trees" env TMPDIR=/dev/shm "$LAB_BUILD/gcc/tests/unit/test-model" 10000
	step "1,000 simulated years" env TMPDIR=/dev/shm "$LAB_BUILD/gcc/tests/unit/test-year" 1000
	# shellcheck disable=SC2086 # a list of words
	vm_batch 2 1 < <(for kernel in $CHECK_KERNELS $CHECK_PATCHED; do
		case_expand "$kernel" | sed "s/^/$kernel /"
	done | grep -vxFf <(check_plan $CHECK_KERNELS $CHECK_PATCHED))
	LAB_PART=1 "$LAB_SRC/kernel/run" test
	LAB_PART=1 "$LAB_SRC/kernel/run" soak -s 3600
	for kernel in stock-6.1 stock-6.12 patched-6.1 patched-6.12; do
		if [ ! -x "$LAB_SRC/kernel/run" ]; then
			report skip "vm $kernel" 0 - "kernel/run is not there to build it"
			continue
		fi
		say "kernel $kernel"
		if ! kernel_dir "$kernel" >"$LAB_LOGS/kernel-$kernel.log" 2>&1; then
			report fail "kernel $kernel" 0 "$LAB_LOGS/kernel-$kernel.log"
			continue
		fi
		vm_batch 2 1 < <(case_expand_full "$kernel" | sed "s/^/$kernel /")
	done
	report_end
}

# For kernels that we build: the cases that name them, and those of every check.
case_expand_full() {
	local name kernels

	for name in $(case_names); do
		kernels=$(case_key "$name" Kernels "debian-6.1 debian-6.12")
		[[ " $kernels " == *" $1 "* || $kernels == "debian-6.1 debian-6.12" ]] || continue
		# Guests with systemd need drivers that only Debian's kernels have as a whole.
		[ "$(case_key "$name" Guest quick)" = quick ] && case_expand "$1" "$name"
	done
}

command_coverage() {
	no_arguments "$@"
	install_for build
	build_here
	trap 'rm -rf "$LAB_BUILD"' EXIT
	step "build: coverage" build coverage -Db_coverage=true
	step "unit tests" build_tests coverage
	find "$LAB_BUILD/coverage/cachefilesd" -name '*.gcda' | while read -r data; do
		(cd "$LAB_BUILD/coverage" && gcov -n "$data" 2>/dev/null)
	done | awk -F"[':% ]+" '/^File / { file = $2 } /^Lines executed/ && file ~ /cachefilesd\/[a-z_]*\.c$/ {
		sub(/^.*\//, "", file); printf "%6.1f %%  of %4d lines  %s\n", $3, $5, file
		got += $3 * $5 / 100; all += $5; file = "" }
		END { if (all) printf "%6.1f %%  of %4d lines  in all\n", got * 100 / all, all }' |
		sort -u -k6 >&3
	report_end
}

command_bench() {
	local name status=0 all
	install_for build vm

	if [ $# = 0 ]; then
		# Those with a dot in their names are for them.
		mapfile -t all < <(find "$LAB_SRC/tests/bench" -type f ! -name '*.*' | sort)
		set -- "${all[@]}"
	fi
	for name; do
		name=${name##*/}
		if [ ! -x "$LAB_SRC/tests/bench/$name" ]; then
			echo "there is no benchmark tests/bench/$name" >&2
			status=1
			continue
		fi
		say "bench $name"
		"$LAB_SRC/tests/bench/$name" >&3 || status=1
	done
	exit $status
}
