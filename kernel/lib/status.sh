# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What was seen: kernel/TOPIC/results.tsv, written by kernel/run test --record. Row by row and per
# base, the kernel without the series against the one with it.

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
		for base in $bases; do
			printf '\n%s %s\n' "$topic" "$base"
			status_rows "$base" <"$file"
		done
	done
}

# status_rows BASE: a test a paragraph: what each kernel did, when, and what was seen. A kernel of another
# configuration than debug has its name with it.
status_rows() {
	awk -F'\t' -v base="$1" '
		/^#/ || $1 == "test" || $2 !~ "-" base "(-|$)" { next }
		!($1 in known) { known[$1]; order[++n] = $1 }
		{ kind = $2; sub("-" base, "", kind); sub(/^scratch-.*/, "scratch", kind); row[$1, kind] = sprintf("%-8s %s  %s", $3, $4, $5) }
		END {
			for (i = 1; i <= n; i++) {
				printf "  %s\n", order[i]
				split("stock stock-lockdep stock-bench patched patched-lockdep patched-bench scratch", kinds, " ")
				for (k = 1; k in kinds; k++)
					if ((order[i], kinds[k]) in row)
						printf "    %-13s %s\n", kinds[k], row[order[i], kinds[k]]
			}
		}'
}
