# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Many guests: side by side, a failed one once more, each an outcome of the run.

# vm_batch WIDTH AGAIN [RUN]: runs the cases that standard input names, "KERNEL CASE VARIANT" a line,
# WIDTH side by side. With AGAIN 1 those that fail are run once more afterwards, one by one. RUN is
# the function that runs one (case_run); a remark on what it saw may be left in LOGDIR/remark.
vm_batch() {
	local width=$1 again=$2 run=${3:-case_run} kernel name variant title log failed=$LAB_LOGS/again
	: >"$failed"

	while read -r kernel name variant; do
		[ "$name" ] || continue
		title=$(case_title "$kernel" "$name" "$variant")
		while [ "$(jobs -rp | wc -l)" -ge "$width" ]; do
			wait -n
		done
		vm_one "$title" "$kernel" "$name" "$variant" "$again" "$run" &
	done
	wait
	[ "$again" = 1 ] || return 0
	while read -r kernel name variant; do
		title=$(case_title "$kernel" "$name" "$variant")
		say "again, alone: $title"
		LAB_AGAIN=-again vm_one "$title" "$kernel" "$name" "$variant" 0 "$run"
	done <"$failed"
}

vm_one() {
	local title=$1 log status
	log=$LAB_LOGS/vm-${title//[^a-zA-Z0-9._-]/-}${LAB_AGAIN:-}

	say "start vm $title"
	seconds_of "$6" "$2" "$3" "$4" "$log"
	status=$?
	case $status in
	0) report pass "vm $title" "$SECONDS_OF" "$log" "$(cat "$log/remark" 2>/dev/null)" ;;
	77) report skip "vm $title" "$SECONDS_OF" "$log" "$(cat "$log/verdict")" ;;
	*)
		if [ "$5" = 1 ]; then
			say "FAILED AT FIRST  vm $title: $(cat "$log/verdict")"
			report_tail "$log"
			printf '%s %s %s\n' "$2" "$3" "$4" >>"$LAB_LOGS/again"
		else
			report fail "vm $title" "$SECONDS_OF" "$log" "$(cat "$log/verdict")"
		fi
		;;
	esac
}
