# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The bases: Debian's linux-source packages, which are the stable kernels with Debian's patches.

BASES="6.1 6.12"
# The order in which a patched kernel takes the series.
TOPICS="claim loop netconsole debugfs configfs"

# install_packages WORD...: what kernel/lib/packages lists under these words and is missing.
install_packages() {
	local words=" $* " where name missing

	mapfile -t missing < <(while read -r where name; do
		[[ $where == '#'* || -z $where || $words != *" $where "* ]] || missing_of "$name"
	done <"$LAB_SRC/kernel/lib/packages")
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "not installed: ${missing[*]}; run as root to have them installed"
	apt_lists || exit 1
	say "installing ${missing[*]}"
	(
		flock 9
		apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 "${missing[@]}"
	) 9>"$LAB/apt.lock" >"$LAB_LOGS/apt-install.log" 2>&1 || {
		tail -n 20 "$LAB_LOGS/apt-install.log" >&2
		die "apt-get install failed"
	}
}

# source_versions BASE: the versions of linux-source-BASE that apt has, the newest first. With no
# list at hand, the installed one.
source_versions() {
	apt_lists || return 1
	{
		apt-cache madison "linux-source-$1" 2>/dev/null | awk -F'|' '{ gsub(/ /, "", $2); print $2 }'
		dpkg-query -W -f '${Version}\n' "linux-source-$1" 2>/dev/null
	} | awk 'NF && !seen[$0]++' | sort -rV
}

# source_archive BASE VERSION: prints the path of the archive, fetched if need be. The package as
# installed is as good as one that is fetched.
source_archive() {
	local base=$1 version=$2 file=/usr/src/linux-source-$1.tar.xz

	if [ "$(dpkg-query -W -f '${Version}' "linux-source-$base" 2>/dev/null)" = "$version" ] &&
		[ -f "$file" ]; then
		printf '%s\n' "$file"
		return 0
	fi
	say "fetching linux-source-$base $version (140 MB)"
	file=$(cached ksource "$base-$(printf '%s' "$version" | hash_of)" source_fetch "$base" "$version") &&
		printf '%s\n' "$file/linux-source-$base.tar.xz"
}

source_fetch() {
	local base=$1 version=$2 dir=$3

	apt_fetch "linux-source-$base=$version" "$dir" &&
		dpkg-deb --fsys-tarfile "$dir"/*.deb | tar -x -C "$dir" --strip-components=3 \
			"./usr/src/linux-source-$base.tar.xz" && rm -f "$dir"/*.deb
}

# source_files BASE VERSION: prints a directory with those files of the base that any series for it
# touches; what a series adds is not there. Unpacking all of it would take 1.5 GB.
source_files() {
	local base=$1 version=$2 archive names

	archive=$(source_archive "$base" "$version") || return 1
	names=$(series_files "$base")
	cached kfiles "$base-$(printf '%s' "$version $names" | hash_of)" source_pick "$archive" "$base" "$names"
}

source_pick() {
	local archive=$1 base=$2 names=$3 dir=$4

	printf '%s\n' "$names" | sed "s|^|linux-source-$base/|" >"$dir.names"
	# Names that are not in the archive are files that the series add.
	tar -xf "$archive" -C "$dir" --strip-components=1 --no-same-owner -T "$dir.names" 2>/dev/null
	rm -f "$dir.names"
	[ -n "$(ls "$dir")" ]
}

# source_tree BASE VERSION: prints the directory of the whole source, read-only by custom.
source_tree() {
	local archive

	archive=$(source_archive "$1" "$2") || return 1
	cached ktree "$1-$(printf '%s' "$2" | hash_of)" source_unpack "$archive"
}

source_unpack() {
	tar -xf "$1" -C "$2" --strip-components=1 --no-same-owner
}
