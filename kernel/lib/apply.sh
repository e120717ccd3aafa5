# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Applying the series: with fuzz 0, in the stated order, saying which patch and which hunk is wrong.

# series_of TOPIC BASE: the patches in the order of their numbers.
series_of() {
	local file

	for file in "$LAB_SRC/kernel/$1/$2"/[0-9]*.patch; do
		[ -f "$file" ] && printf '%s\n' "$file"
	done
}

# patches_of BASE TOPIC...: those of the topics, in the stated order whatever that of the arguments.
patches_of() {
	local base=$1 topic words
	shift
	words=" $* "

	for topic in $TOPICS; do
		[[ $words != *" $topic "* ]] || series_of "$topic" "$base"
	done
}

# series_files BASE: the files that patches for the base touch, of all topics.
series_files() {
	local topic

	for topic in $TOPICS; do
		series_of "$topic" "$1"
	done | xargs -r grep -hE '^(---|\+\+\+) [ab]/' | sed 's/^[-+]* [ab]\///; s/[\t ].*//' | sort -u
}

# apply_patch DIR PATCH: applies it in the tree DIR. Prints offsets, on a failure patch and hunks.
apply_patch() {
	local dir=$1 patch=$2 log status name=${2#"$LAB_SRC/kernel/"}

	log=$(patch -d "$dir" -p1 -F0 -N -f --no-backup-if-mismatch -r - <"$patch" 2>&1)
	status=$?
	awk -v name="$name" '
		/^(checking|patching) file / { file = $3 }
		/^Hunk #[0-9]+ succeeded at / { print name ": " file ": " $0 }
		/^Hunk #[0-9]+ (FAILED|ignored)/ { print name ": " file ": " $0 }
		/refusing to patch|^can.t find file|^The next patch would|^Reversed|malformed|No file to patch/ { print name ": " $0 }
	' <<<"$log"
	[ $status = 0 ] || echo "$name: does not apply"
	return $status
}

# apply_list DIR PATCH...: all of them; stops at the first that does not apply.
apply_list() {
	local dir=$1 patch
	shift

	for patch; do
		apply_patch "$dir" "$patch" || return 1
	done
}

# apply_version BASE VERSION TOPIC...: tries the topics on a copy of the files that they touch.
apply_version() {
	local base=$1 version=$2 files tree patches status
	shift 2

	files=$(source_files "$base" "$version") || return 2
	tree=$(mktemp -d "$LAB/tmp/apply.XXXXXX") || return 2
	cp -a "$files/." "$tree/"
	mapfile -t patches < <(patches_of "$base" "$@")
	apply_list "$tree" "${patches[@]}"
	status=$?
	rm -rf "$tree"
	return $status
}

# apply_base BASE TOPIC...: on the newest version that apt has, or the newest on which it works.
# APPLY_VERSION is that version.
apply_base() {
	local base=$1 version newest='' topic count=0
	shift

	for topic; do
		if [ -z "$(series_of "$topic" "$base")" ]; then
			say "$topic: no patches for $base"
		else
			count=$((count + $(series_of "$topic" "$base" | wc -l)))
		fi
	done
	APPLY_VERSION=
	while read -r version; do
		newest=${newest:-$version}
		if [ $count = 0 ] || apply_version "$base" "$version" "$@" >&2; then
			APPLY_VERSION=$version
			break
		fi
		say "!!! the series do NOT apply to linux-source-$base $version"
	done < <(source_versions "$base")
	[ -n "$newest" ] || die "apt has no linux-source-$base, and none is installed"
	[ -n "$APPLY_VERSION" ] || return 1
	if [ "$APPLY_VERSION" != "$newest" ]; then
		say "!!! using $APPLY_VERSION, which is NOT the newest; the series are to be brought to $newest"
	fi
	say "$base: $count patches apply to linux-source-$base $APPLY_VERSION with fuzz 0"
}
