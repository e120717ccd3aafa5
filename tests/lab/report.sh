# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Outcomes: each is one line of progress and one line of LAB_LOGS/results.tsv (outcome, seconds,
# name, log); the last line of a run counts them.

# report pass|fail|skip NAME SECONDS LOG [REMARK]
report() {
	printf '%s\t%s\t%s\t%s\n' "$1" "$3" "$2" "$4" >>"$LAB_LOGS/results.tsv"
	case $1 in
	pass) say "pass  $2 ($3 s)${5:+ $5}" ;;
	skip) say "SKIP  $2${5:+: $5}" ;;
	fail)
		say "FAIL  $2 ($3 s)${5:+: $5}"
		report_tail "$4"
		;;
	esac
}

# report_tail LOG: its end, for whoever reads only the output.
report_tail() {
	local log=$1 file

	say "      the log: $log"
	if [ -d "$log" ]; then
		for file in "$log/output" "$log/console"; do
			[ -s "$file" ] || continue
			say "      the end of $file:"
			tail -n "${LAB_TAIL:-30}" "$file" | tr -d '\r' | cut -c1-240 | sed 's/^/        | /' >&"${LAB_SAY:-1}"
		done
	elif [ -s "$log" ]; then
		# What failed may be long before the end.
		grep -anE '^(FAIL|FAILED)|(error|Error): ' "$log" | head -n 12 | cut -c1-240 |
			sed 's/^/        ! /' >&"${LAB_SAY:-1}"
		tail -n "${LAB_TAIL:-30}" "$log" | cut -c1-240 | sed 's/^/        | /' >&"${LAB_SAY:-1}"
	fi
}

# step NAME COMMAND...: runs it with its output in a log; 0 passes, 77 is a skip with the log's last
# line as its reason.
step() {
	local name=$1 log status
	log=$LAB_LOGS/${name//[^a-zA-Z0-9._-]/-}.log
	shift

	seconds_of "$@" >"$log" 2>&1 </dev/null
	status=$?
	case $status in
	0) report pass "$name" "$SECONDS_OF" "$log" ;;
	77) report skip "$name" "$SECONDS_OF" "$log" "$(tail -n 1 "$log")" ;;
	*) report fail "$name" "$SECONDS_OF" "$log" "status $status" ;;
	esac
	return 0
}

# Prints the counts and returns whether nothing failed; nothing at all is a failure too.
report_end() {
	local pass fail skip file=$LAB_LOGS/results.tsv

	touch "$file"
	pass=$(grep -c '^pass' "$file")
	fail=$(grep -c '^fail' "$file")
	skip=$(grep -c '^skip' "$file")
	say "logs: $LAB_LOGS"
	[ "$fail" = 0 ] || { echo "failed:" && sed -n 's/^fail\t[^\t]*\t/  /p' "$file"; } >&"${LAB_SAY:-1}"
	[ "$skip" = 0 ] || { echo "skipped:" && sed -n 's/^skip\t[^\t]*\t/  /p' "$file"; } >&"${LAB_SAY:-1}"
	printf '%d passed, %d failed, %d skipped\n' "$pass" "$fail" "$skip" >&"${LAB_SAY:-1}"
	[ "$fail" = 0 ] && [ "$pass" -gt 0 ]
}
