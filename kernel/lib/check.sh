# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What reviewers' robots say of each patch: checkpatch, and builds of what it touches at every step
# of the series; at the end all together with clang and as allmodconfig has it.
# check_top is the directory of the tree and its builds, $LAB/kernel/BASE-check.

kernel_check() {
	local base topic bad=0 check_top

	install_packages apply build check
	for base in $bases; do
		apply_base "$base" "$@" || {
			bad=1
			continue
		}
		check_tree=$(source_tree "$base" "$APPLY_VERSION") || return 1
		check_top=$LAB/kernel/$base-check
		mkdir -p "$LAB/kernel"
		exec 8>"$check_top.lock"
		flock 8
		for topic; do
			[ -n "$(series_of "$topic" "$base")" ] || continue
			check_patches "$topic" "$base" || bad=1
			[ "$only" = patches ] || check_steps "$topic" "$base" || bad=1
		done
		[ "$only" = patches ] || check_end "$base" "$@" || bad=1
		exec 8>&-
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

# check_steps TOPIC BASE: builds stock and then each step of the series, alone on the base. A warning is
# new if no step before had it, or had it less often.
check_steps() {
	local topic=$1 base=$2 patches n objects files bad=0 log known

	mapfile -t patches < <(series_of "$topic" "$base")
	known=$LAB_LOGS/check-$topic-$base.known
	files=$(touched_by "${patches[@]}")
	for n in $(seq 0 ${#patches[@]}); do
		log=$LAB_LOGS/check-$topic-$base-$n.log
		build_tree "$check_top" "$APPLY_VERSION" "$base" "${patches[@]:0:n}" || return 1
		if [ "$n" = 0 ]; then
			check_config lockdep >"$log" 2>&1 || return 1
			# All is looked at once, afterwards what is built again.
			objects=$(check_objects "$files" "$check_top/src")
			# shellcheck disable=SC2086
			(cd "$check_top/build-lockdep" && rm -f $objects)
		elif grep -q '^+++ b/.*Kconfig' "${patches[n - 1]}"; then
			check_config lockdep >"$log" 2>&1 || return 1
		fi
		objects=$(check_objects "$files" "$check_top/src")
		say "$topic $base: step $n of ${#patches[@]}"
		# shellcheck disable=SC2086 # lists of words
		check_make lockdep W=1 C=1 $objects >>"$log" 2>&1 || {
			say "step $n does not build: $log"
			grep -E 'error|Error' "$log" | head -n 10 >&2
			bad=1
		}
		check_docs "$files" "$check_top/src" >>"$log"
		check_warnings "$log" >"$log.warnings"
		if [ "$n" != 0 ]; then
			awk -F'\t' 'NR == FNR { if ($1 > had[$2]) had[$2] = $1; next } $1 > had[$2]' \
				"$known" "$log.warnings" >"$log.new"
			[ ! -s "$log.new" ] || {
				say "new in ${patches[n - 1]#"$LAB_SRC/kernel/"}:"
				head -n 20 "$log.new" >&2
				bad=1
			}
		fi
		cat "$log.warnings" >>"$known"
	done
	[ $bad = 1 ] || say "$topic $base: every step builds; W=1, sparse and kernel-doc find nothing new"
	return $bad
}

# check_end BASE TOPIC...: all of them together, what they touch, with clang and as allmodconfig has it.
# With --whole all of allmodconfig's fs/, which takes an hour.
check_end() {
	local base=$1 patches objects config log bad=0
	shift

	mapfile -t patches < <(patches_of "$base" "$@")
	build_tree "$check_top" "$APPLY_VERSION" "$base" "${patches[@]}" || return 1
	objects=$(check_objects "$(touched_by "${patches[@]}")" "$check_top/src")
	for config in clang allmod; do
		log=$LAB_LOGS/check-$base-$config.log
		say "$base: all together, $config"
		[ "$config" = clang ] || [ -z "$whole" ] || objects+=" fs/"
		# shellcheck disable=SC2086
		check_config $config >"$log" 2>&1 && check_make $config $objects >>"$log" 2>&1 &&
			! grep -q 'warning:' <(grep -v 'override: reassigning' "$log") || {
			say "$config: $log"
			grep -E 'warning:|error:' "$log" | grep -v 'override: reassigning' | head -n 10 >&2
			bad=1
		}
	done
	[ $bad = 1 ] || say "$base: clang and allmodconfig find nothing"
	return $bad
}

# check_make CONFIG ARGUMENT...: make in CONFIG's build directory.
check_make() {
	local config=$1
	shift

	[ "$config" != clang ] || set -- CC=clang "$@"
	make -s -k -C "$check_top/src" O="$check_top/build-$config" -j"$(nproc)" "$@" 8>&-
}

# check_config lockdep|clang|allmod: the build directory, configured and with what all objects need.
check_config() {
	local out=$check_top/build-$1

	mkdir -p "$out"
	case $1 in
	lockdep) config_make lockdep "$base" "$check_top/src" "$out" ;;
	clang)
		cp "$check_top/build-lockdep/.config" "$out/" 2>/dev/null ||
			config_make lockdep "$base" "$check_top/src" "$out"
		check_make clang olddefconfig
		;;
	allmod) check_make allmod allmodconfig ;;
	esac && check_make "$1" prepare
}

# touched_by PATCH...: the files that they change or add.
touched_by() {
	grep -hE '^\+\+\+ b/' "$@" | sed 's/^+++ b\///; s/[\t ].*//' | sort -u
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

# Warnings without line numbers, "COUNT<tab>WARNING": one more of the same is new. Those of headers
# come with each file that includes them and count once.
check_warnings() {
	grep -aE 'warning:|error:|\*\*\*' "$1" | grep -v 'override: reassigning' |
		sed -E 's/:[0-9]+(:[0-9]+)?:/:/g; s/^.*\/src\///; s/[0-9]+ bytes/N bytes/' |
		awk '{ n[$0] = $0 ~ /^[^:]*\.h:/ ? 1 : n[$0] + 1 } END { for (w in n) print n[w] "\t" w }'
}
