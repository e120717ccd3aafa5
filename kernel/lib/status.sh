# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What was seen: kernel/TOPIC/results.tsv, one line a test and kernel, written after a run.

kernel_status() {
	local topic base file

	printf '%-12s %-5s %s\n' topic base patches
	for topic; do
		for base in $bases; do
			printf '%-12s %-5s %s\n' "$topic" "$base" "$(series_of "$topic" "$base" | grep -c .)"
		done
	done
	for topic; do
		file=$LAB_SRC/kernel/$topic/results.tsv
		[ -f "$file" ] || continue
		printf '\n%s\n' "$topic"
		for base in $bases; do
			grep -v '^#' "$file" | awk -F'\t' -v base="$base" 'NR == 1 || $2 ~ base "$"' |
				if command -v column >/dev/null; then column -t -s "$(printf '\t')"; else cat; fi
		done
	done
}
