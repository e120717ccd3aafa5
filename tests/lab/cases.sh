# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# VM cases: a file tests/vm/NAME is a script for the guest. Its head says what it needs, one
# comment a line, "# Key: value":
#   Guest     quick (default) or system
#   Kernels   those that tests/run check uses (default "debian-6.1 debian-6.12"); "none": only by name
#   Variants  words; the case runs once for each, with the word as its argument (default none)
#   Check     those of them that tests/run check runs, the others are left to full (default all)
#   Disks     sizes in MiB, vda.. (in a guest of the kind system vdb..)
#   Timeout   seconds for each boot, generous (default 600)
#   Boots     how often it may ask for a reboot with status 194, the first boot included (default 5)
#   Memory    MiB (default 1024);  CPUs (default 2);  Append: kernel command line
#   Daemon    "none": no daemon is put into the guest
#   Packages  words of tests/lab/debs.sh: what is in /lab/run/debs
#   Expect    kernel messages that do not fail the case (extended regular expression)
# A case passes with status 0, is skipped with 77 (its last line says why) and fails otherwise; also
# when the kernel complains. In the guest: /lab/src (the checkout), tests/vm/lib/lib.sh.

CASES_DIR=$LAB_SRC/tests/vm

# head_key FILE KEY DEFAULT: prints the value that the file's head gives the key.
head_key() {
	local value

	value=$(sed -n "/^[^#]/q; s/^# $2:  *//p" "$1" | head -n 1)
	printf '%s\n' "${value:-$3}"
}

# case_key CASE KEY DEFAULT
case_key() {
	head_key "$CASES_DIR/$1" "$2" "$3"
}

case_names() {
	local file

	for file in "$CASES_DIR"/*; do
		[ -f "$file" ] && [[ $file != *.* ]] && printf '%s\n' "${file##*/}"
	done
}

# case_expand KERNEL WORD...: prints a line "CASE VARIANT" (variant - for none) for each run of the
# words, CASE or CASE:VARIANT; without words, of all cases that are for this kernel.
case_expand() {
	local kernel=$1 word name variant kernels
	shift

	if [ $# = 0 ]; then
		for name in $(case_names); do
			kernels=$(case_key "$name" Kernels "debian-6.1 debian-6.12")
			[[ " $kernels " != *" $kernel "* ]] || case_expand "$kernel" "$name"
		done
		return 0
	fi
	for word; do
		name=${word%%:*}
		[ -f "$CASES_DIR/$name" ] || {
			echo "no case is called $name; there are: $(case_names | paste -sd' ')" >&2
			return 1
		}
		if [ "$name" != "$word" ]; then
			printf '%s %s\n' "$name" "${word#*:}"
		else
			for variant in $(case_key "$name" Variants -); do
				printf '%s %s\n' "$name" "$variant"
			done
		fi
	done
}

# case_run KERNEL CASE VARIANT LOGDIR: runs it; the status is machine_run's.
case_run() {
	local M_KERNEL=$1 name=$2 variant=$3 M_DIR=$4
	local M_GUEST M_TIMEOUT M_MEMORY M_CPUS M_DISKS M_APPEND M_EXPECT M_SCRIPT M_ARGUMENTS=()
	local M_DAEMON=${LAB_DAEMON:-ours} M_LIVE=${M_LIVE:-} M_PACKAGES M_BOOTS

	M_GUEST=$(case_key "$name" Guest quick)
	M_TIMEOUT=$(case_key "$name" Timeout 600)
	M_MEMORY=$(case_key "$name" Memory 1024)
	M_CPUS=$(case_key "$name" CPUs 2)
	M_DISKS=$(case_key "$name" Disks '')
	M_APPEND=$(case_key "$name" Append '')
	M_EXPECT=$(case_key "$name" Expect '')
	M_BOOTS=$(case_key "$name" Boots 5)
	M_PACKAGES=$(case_key "$name" Packages '')
	M_DAEMON=$(case_key "$name" Daemon "$M_DAEMON")
	M_SCRIPT=/lab/src/tests/vm/$name
	[ "$variant" = - ] || M_ARGUMENTS=("$variant")
	machine_run
}

case_title() {
	local title="$1 $2"

	[ "$3" = - ] || title+=":$3"
	printf '%s\n' "$title"
}
