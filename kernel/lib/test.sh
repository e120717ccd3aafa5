# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The topics' tests in guests. kernel/TOPIC/tests/NAME.sh is a script for the guest, the C files
# beside it are its programs (static, in $BIN). Its head says, one comment a line "# Key: value":
#   Bases    (default both)          Disks, Timeout, Memory, Append, Expect as in tests/lab/cases.sh
#   Stock    what a kernel without the series does: pass (a control), or fail (default)
# Other files beside it (lib) are for the scripts. The script's status is the verdict, 77 skips.

for part in report kernels image daemon machine; do
	# shellcheck source=/dev/null
	. "$LAB_SRC/tests/lab/$part.sh"
done

test_key() {
	local value

	value=$(sed -n "/^[^#]/q; s/^# $2:  *//p" "$1" | head -n 1)
	printf '%s\n' "${value:-$3}"
}

# test_programs DIR OUT: compiles the C files of DIR into OUT.
test_programs() {
	local file

	mkdir -p "$2"
	for file in "$1"/*.c; do
		[ -f "$file" ] || continue
		gcc -std=gnu17 -O2 -Wall -Wextra -static -pthread -o "$2/$(basename "$file" .c)" "$file" || return 1
	done
}

kernel_test() {
	local base topic file kernel_kind

	install_packages apply build
	install_for build vm
	for base in $bases; do
		for topic; do
			for file in "$LAB_SRC/kernel/$topic/tests"/*.sh; do
				[ -f "$file" ] || continue
				[[ " $(test_key "$file" Bases "$BASES") " == *" $base "* ]] || continue
				[ -z "$only" ] || [ "$only" = "$(basename "$file" .sh)" ] || continue
				for kernel_kind in $kinds; do
					test_one "$topic" "$file" "$kernel_kind-$base"
				done
			done
		done
	done
	report_end
}

# test_one TOPIC FILE KERNEL. A test that is to fail on stock and passes there has shown nothing.
test_one() {
	local topic=$1 file=$2 name stock status bin
	name="$1/$(basename "$2" .sh) on $3"

	export M_KERNEL=$3 M_GUEST=quick M_CPUS=2 M_DAEMON=ours M_LIVE=
	M_DIR=$LAB_LOGS/test-${name//[^a-zA-Z0-9._-]/-}
	M_TIMEOUT=$(test_key "$file" Timeout 600)
	M_MEMORY=$(test_key "$file" Memory 1536)
	M_DISKS=$(test_key "$file" Disks '')
	M_EXPECT=$(test_key "$file" Expect '')
	M_APPEND="$(test_key "$file" Append '') sysctl.kernel.hung_task_panic=0"
	M_SCRIPT=/lab/src/kernel/$topic/tests/$(basename "$file")
	M_ARGUMENTS=("$3")
	bin=$M_DIR/run/bin
	test_programs "$LAB_SRC/kernel/$topic/tests" "$bin" || {
		report fail "$name" 0 "$M_DIR" "its programs do not compile"
		return
	}
	say "start $name"
	seconds_of machine_run
	status=$?
	stock=$(test_key "$file" Stock fail)
	if [ $status = 77 ]; then
		report skip "$name" "$SECONDS_OF" "$M_DIR" "$(cat "$M_DIR/verdict")"
	elif [[ $3 == stock-* && $stock == fail ]]; then
		if [ $status = 0 ]; then
			report fail "$name" "$SECONDS_OF" "$M_DIR" "passed without the series: it shows nothing"
		else
			report pass "$name" "$SECONDS_OF" "$M_DIR" "(fails as it should: $(cat "$M_DIR/verdict"))"
		fi
	elif [ $status = 0 ]; then
		report pass "$name" "$SECONDS_OF" "$M_DIR"
	else
		report fail "$name" "$SECONDS_OF" "$M_DIR" "$(cat "$M_DIR/verdict")"
	fi
}
