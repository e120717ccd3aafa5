# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What reviewers' robots say of each patch: checkpatch, and builds of what it touches at every step
# of the series; warnings count that the step before did not have.

kernel_check() {
	local base topic bad=0

	install_packages apply build check
	for base in $bases; do
		apply_base "$base" "$@" || {
			bad=1
			continue
		}
		check_tree=$(source_tree "$base" "$APPLY_VERSION") || return 1
		for topic; do
			[ -n "$(series_of "$topic" "$base")" ] || continue
			check_patches "$topic" "$base" || bad=1
			[ "$only" = patches ] || check_steps "$topic" "$base" || bad=1
		done
	done
	[ $bad = 0 ] && say "nothing found" || say "something was found, logs in $LAB_LOGS"
	return $bad
}

# checkpatch of each patch. MAINTAINERS and the order of a mail's lines are a submitter's concern.
# CamelCase is that of names the drivers have had for long, as Lo_rundown.
check_patches() {
	local patch bad=0 log=$LAB_LOGS/checkpatch-$1-$2.log

	while read -r patch; do
		(cd "$check_tree" && perl scripts/checkpatch.pl --strict --no-summary --show-types \
			--ignore FILE_PATH_CHANGES,GIT_COMMIT_ID,EMAIL_SUBJECT,CAMELCASE "$patch") >>"$log" 2>&1 || {
			bad=1
			say "checkpatch: ${patch#"$LAB_SRC/kernel/"}"
		}
	done < <(series_of "$1" "$2")
	[ $bad = 0 ] && say "$1 $2: checkpatch is silent" || grep -E '^(ERROR|WARNING|CHECK)' -A 2 "$log" >&2
	return $bad
}

# check_steps TOPIC BASE: builds stock and then each step of the series.
check_steps() {
	local topic=$1 base=$2 patches n top=$LAB/kernel/$2-check out objects files bad=0 log

	mapfile -t patches < <(series_of "$topic" "$base")
	mkdir -p "$LAB/kernel"
	out=$top/build-lockdep
	exec 8>"$LAB/kernel/$base-check.lock"
	flock 8
	files=$(grep -hE '^\+\+\+ b/' "${patches[@]}" | sed 's/^+++ b\///; s/[\t ].*//' | sort -u)
	for n in $(seq 0 ${#patches[@]}); do
		log=$LAB_LOGS/check-$topic-$base-$n.log
		build_tree "$top" "$APPLY_VERSION" "$base" "${patches[@]:0:n}" || return 1
		if [ "$n" = 0 ]; then
			mkdir -p "$out"
			config_make lockdep "$base" "$top/src" "$out" >"$log" 2>&1 || return 1
			make -s -C "$top/src" O="$out" prepare >>"$log" 2>&1 || return 1
		fi
		objects=$(check_objects "$files" "$top/src")
		say "$topic $base: step $n of ${#patches[@]}"
		# shellcheck disable=SC2086 # lists of words
		make -s -k -C "$top/src" O="$out" -j"$(nproc)" W=1 C=2 $objects >"$log" 2>&1 8>&- || {
			say "step $n does not build: $log"
			grep -E 'error|Error' "$log" | head -n 10 >&2
			bad=1
		}
		check_docs "$files" "$top/src" >>"$log"
		check_warnings "$log" >"$log.warnings"
		if [ "$n" != 0 ]; then
			comm -13 "$LAB_LOGS/check-$topic-$base-$((n - 1)).log.warnings" "$log.warnings" |
				grep . >"$log.new" && {
				say "new in ${patches[n - 1]#"$LAB_SRC/kernel/"}:"
				head -n 20 "$log.new" >&2
				bad=1
			}
		fi
	done
	check_clang "$objects" || bad=1
	exec 8>&-
	[ $bad = 1 ] || say "$topic $base: every step builds, W=1, sparse and kernel-doc add nothing, clang neither"
	return $bad
}

# The objects of the C files that a series touches and that the configuration builds.
check_objects() {
	local file

	for file in $1; do
		if [[ $file == *.c && $file != Documentation/* && $file != tools/* && $file != samples/* ]] &&
			[ -f "$2/$file" ]; then
			printf '%s\n' "${file%.c}.o"
		fi
	done
}

check_docs() {
	local file

	for file in $1; do
		if [[ $file == *.[ch] && $file != tools/* && -f $2/$file ]]; then
			perl "$2/scripts/kernel-doc" -none "$2/$file" 2>&1
		fi
	done
}

# Warnings without line numbers, each with how often it is said: one more is new.
check_warnings() {
	grep -aE 'warning:|error:|\*\*\*' "$1" | sed -E 's/:[0-9]+(:[0-9]+)?:/:/g; s/^.*\/src\///; s/[0-9]+ bytes/N bytes/' |
		sort | uniq -c | sort
}

# The end of the series with clang. OBJECTS; uses check_steps' variables.
check_clang() {
	local log=$LAB_LOGS/check-$topic-$base-clang.log

	mkdir -p "$top/build-clang"
	cp "$out/.config" "$top/build-clang/"
	# shellcheck disable=SC2086 # lists of words
	{
		make -s -C "$top/src" O="$top/build-clang" CC=clang olddefconfig &&
			make -s -C "$top/src" O="$top/build-clang" CC=clang -j"$(nproc)" prepare &&
			make -s -k -C "$top/src" O="$top/build-clang" CC=clang -j"$(nproc)" $1
	} >"$log" 2>&1 && ! grep -q 'warning:' "$log" && return 0
	say "clang: $log"
	grep -E 'warning:|error:' "$log" | head -n 10 >&2
	return 1
}
