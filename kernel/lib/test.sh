# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The topics' tests in guests. kernel/TOPIC/tests/NAME.sh is a script for the guest, the C files
# beside it are its programs (static, in $BIN). Its head says, one comment a line "# Key: value":
#   Bases     (default both)
#   Variants  words; the test runs once for each, with the word as its second argument
#   Stock     what a kernel without the series does: fail (default), or pass (a control);
#             "6.12=pass" after it holds for that base alone
#   Check     yes: part of tests/run check, on the kernel with the series; or which variants are
#   Soak      yes: part of kernel/run soak; the script works for $SECS seconds, with its disks
#             from ${DISK:-/dev/vda} on, in directories of its own
#   Module    PATH DIFF: a module as a diff beside the test (or a patch of the series) makes it, for
#             $MODULES; Module-stock for the stock kernel alone
#   Scratch   NAME: for a kernel with the series and NAME.diff, which is beside the test, and no other
#   Counted   yes: one processor that counts instructions (tests/lab/machine.sh)
#   Daemon    ours (default) or debian, the old one
#   Together  patched stock, or one of them: with --together it runs with others in one guest of that kind
#   Disks, Timeout, Memory, CPUs, Guest, Append, Expect as in tests/lab/cases.sh
# The first argument is the kernel. The script's status is the verdict, 77 skips; lines of its output
# that begin with "seen: " are what is recorded. Other files beside it are for the scripts.

for part in report kernels image daemon debs machine batch cases; do
	# shellcheck source=/dev/null
	. "$LAB_SRC/tests/lab/$part.sh"
done

test_file() {
	printf '%s\n' "$LAB_SRC/kernel/${1%%/*}/tests/${1#*/}.sh"
}

# test_key TOPIC/NAME KEY DEFAULT: prints the value.
test_key() {
	head_key "$(test_file "$1")" "$2" "$3"
}

# test_programs TOPIC OUT: compiles the C files of the topic's tests into OUT.
test_programs() {
	local file

	mkdir -p "$2"
	for file in "$LAB_SRC/kernel/$1/tests"/*.c; do
		[ -f "$file" ] || continue
		gcc -std=gnu17 -O2 -Wall -Wextra -static -pthread -o "$2/$(basename "$file" .c)" "$file" || return 1
	done
}

# test_names TOPIC...: TOPIC/NAME of every test, or of those that -t names.
test_names() {
	local topic file name

	for topic; do
		for file in "$LAB_SRC/kernel/$topic/tests"/*.sh; do
			name=$topic/$(basename "$file" .sh)
			[ -f "$file" ] && [[ -z $only || ",$only," == *",${name#*/},"* ]] && printf '%s\n' "$name"
		done
	done
}

# test_plan TOPIC...: lines "KERNEL TOPIC/NAME VARIANT" of what is to run.
test_plan() {
	local base name variant kernel_kind check

	for base in $bases; do
		while read -r name; do
			[[ " $(test_key "$name" Bases "$BASES") " == *" $base "* ]] || continue
			check=$(test_key "$name" Check no)
			for kernel_kind in $(test_kinds "$name"); do
				for variant in $(test_key "$name" Variants -); do
					[[ -z $chosen || $variant == "$chosen" ]] || continue
					[[ -z $checks || $check == yes || " $check " == *" $variant "* ]] || continue
					printf '%s %s %s\n' "${kernel_kind/BASE/$base}" "$name" "$variant"
				done
			done
		done < <(test_names "$@")
	done
}

# test_kinds TOPIC/NAME: the kernels it is for, with the word BASE in place of the base.
test_kinds() {
	local scratch kind
	scratch=$(test_key "$1" Scratch '')

	for kind in $kinds; do
		if [ -z "$scratch" ]; then
			echo "$kind-BASE$(test_config)"
		elif [ "$kind" = patched ]; then
			echo "scratch-BASE-$scratch"
		fi
	done
}

# test_config: what the name of a kernel ends with.
test_config() {
	[ "$config" = debug ] || printf '%s\n' "-$config"
}

kernel_test() {
	local base topic kernel_kind

	install_packages apply build
	install_for build vm
	if [ "$together" ]; then
		[ "$kinds" != "stock patched" ] || kinds=patched
		vm_batch 2 0 together_run < <(for base in $bases; do
			for topic; do
				for kernel_kind in $kinds; do
					echo "$kernel_kind-$base$(test_config) $topic/together -"
				done
			done
		done)
		report_end
		return
	fi
	# Kernels first, one after the other: building two at once would be no faster.
	test_plan "$@" | cut -d' ' -f1 | sort -u | while read -r kernel; do
		memo "kernel-$kernel" kernel_dir "$kernel" >/dev/null || say "no kernel $kernel"
	done
	vm_batch 2 "${checks:-0}" test_run < <(test_plan "$@")
	[ -n "${LAB_PART:-}" ] || report_end
}

# test_run KERNEL TOPIC/NAME VARIANT LOGDIR: runs it, records it if asked to; 0 if what came out is what
# should. A test that is to fail on stock and passes there has shown nothing.
test_run() {
	local kernel=$1 name=$2 variant=$3 status expected bad=1
	export M_KERNEL=$1 M_DAEMON M_LIVE='' M_DIR=$4 M_COUNTED

	M_DAEMON=$(test_key "$name" Daemon "${LAB_DAEMON:-ours}")
	M_GUEST=$(test_key "$name" Guest quick)
	M_COUNTED=$(test_key "$name" Counted '')
	M_CPUS=$(test_key "$name" CPUs "$([ "$M_COUNTED" ] && echo 1 || echo 2)")
	M_TIMEOUT=$(test_key "$name" Timeout 600)
	M_MEMORY=$(test_key "$name" Memory 1536)
	M_DISKS=$(test_key "$name" Disks '')
	M_EXPECT=$(test_key "$name" Expect '')
	M_APPEND="$(test_key "$name" Append '') sysctl.kernel.hung_task_panic=0"
	M_SCRIPT=/lab/src/kernel/${name%%/*}/tests/${name#*/}.sh
	M_ARGUMENTS=("$kernel")
	[ "$variant" = - ] || M_ARGUMENTS+=("$variant")
	test_programs "${name%%/*}" "$M_DIR/run/bin" >"$M_DIR.programs" 2>&1 || {
		machine_verdict "its programs do not compile: $(tail -n 1 "$M_DIR.programs")"
		return 126
	}
	test_modules "$name" "$kernel" "$M_DIR/run/modules" 2>"$M_DIR.modules" || {
		machine_verdict "its modules do not build: $(tail -n 1 "$M_DIR.modules")"
		return 126
	}
	machine_run
	status=$?
	expected=$(test_expected "$name" "$kernel")
	[ -z "$record" ] || test_record "$name" "$kernel" "$variant" $status
	if [ $status = 77 ]; then
		return 77
	elif [[ $expected == fail ]]; then
		if [ $status = 0 ]; then
			machine_verdict "passed without the series: it shows nothing"
		elif [ $status != 126 ]; then
			echo "fails as it should: $(cat "$M_DIR/verdict")" >"$M_DIR/remark"
			bad=0
		fi
	elif [ $status = 0 ]; then
		test_seen >"$M_DIR/remark"
		bad=0
	fi
	return $bad
}

# test_expected TOPIC/NAME KERNEL: pass or fail.
test_expected() {
	local word answer=fail base
	base=$(kernel_base "$2")

	[[ $2 == stock-* ]] || answer=pass
	if [ $answer = fail ]; then
		for word in $(test_key "$1" Stock fail); do
			case $word in
			"$base="*) answer=${word#*=} ;;
			*=*) ;;
			*) answer=$word ;;
			esac
		done
	fi
	printf '%s\n' "$answer"
}

# What the script said it saw, on one line.
test_seen() {
	tr -d '\r' <"$M_DIR/output" | sed -n 's/^seen: //p' | paste -sd'|' | sed 's/|/; /g'
}

# test_record TOPIC/NAME KERNEL VARIANT STATUS: its line in the topic's results.tsv, in place of the one
# that is there.
test_record() {
	local file=$LAB_SRC/kernel/${1%%/*}/results.tsv name=${1#*/} verdict seen

	[ "$3" = - ] || name+=":$3"
	case $4 in
	0) verdict=passes ;;
	77) verdict="not run" ;;
	124) verdict=hangs ;;
	125) verdict=dies ;;
	126) return ;;
	*) verdict=fails ;;
	esac
	seen=$(test_seen)
	if [ "$4" != 0 ]; then
		seen="$(sed 's/^failed with status [0-9]*: //; s/FAIL: //' "$M_DIR/verdict")${seen:+; $seen}"
	fi
	(
		flock 9
		[ -f "$file" ] || printf '# SPDX-License-Identifier: GPL-2.0-or-later\n# Written by kernel/run test --record.\ntest\tkernel\tverdict\tdate\tseen\n' >"$file"
		{
			awk -F'\t' -v name="$name" -v kernel="$2" '!($1 == name && $2 == kernel)' "$file"
			printf '%s\t%s\t%s\t%s\t%s\n' "$name" "$2" "$verdict" "$(date +%F)" "${seen//$'\t'/ }"
		} >"$file.new" && mv "$file.new" "$file"
	) 9>"$LAB/results.lock"
}
