# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The daemon that goes into guests, as a tree that is copied over the guest's root: ours as
# `meson install` lays it out, or Debian's package of the old one for comparison.

DAEMON_SOURCES=(cachefilesd cachefilesctl conf units man completions hooks meson.build meson_options.txt)

# daemon_stage ours|debian|none: prints the directory of the tree.
daemon_stage() {
	local key version

	if [ "$1" = none ]; then
		cached stage none true
		return
	fi
	if [ "$1" = debian ]; then
		apt_lists || return 1
		version=$(apt_version cachefilesd)
		cached stage "debian-$version" daemon_stage_debian
		return
	fi
	key=$({
		daemon_sources_hash
		dpkg-query -W gcc meson libevent-dev libcap-dev libmount-dev libsystemd-dev libjson-c-dev libsmartcols-dev libc6-dev
		declare -f daemon_stage_ours
	} | hash_of)
	cached stage "ours-$key" daemon_stage_ours
}

daemon_sources_hash() {
	local name have=()

	for name in "${DAEMON_SOURCES[@]}"; do
		[ ! -e "$LAB_SRC/$name" ] || have+=("$name")
	done
	hash_files "${have[@]}"
}

# The sources may be edited while they are compiled: then what came out belongs to no key.
daemon_stage_ours() {
	local dir=$1 build=$1.build before
	before=$(daemon_sources_hash)

	meson setup -Dtests=false --prefix=/usr --sysconfdir=/etc "$build" "$LAB_SRC" &&
		ninja -C "$build" && DESTDIR=$dir meson install -C "$build" --no-rebuild || {
		rm -rf "$build"
		return 1
	}
	rm -rf "$build"
	[ "$before" = "$(daemon_sources_hash)" ] || {
		echo "the sources changed while they were compiled; run it again"
		return 1
	}
	# Debian's /sbin, /lib are links into /usr.
	for name in sbin lib bin; do
		[ ! -d "$dir/$name" ] || { mkdir -p "$dir/usr/$name" &&
			cp -a "$dir/$name/." "$dir/usr/$name/" && rm -rf "${dir:?}/$name"; }
	done
}

daemon_stage_debian() {
	local deb

	apt_fetch cachefilesd "$1" && deb=$(ls "$1"/*.deb) && dpkg-deb -x "$deb" "$1" || return 1
	rm -f "$deb"
	mkdir -p "$1/usr/sbin" && mv "$1"/sbin/* "$1/usr/sbin/" && rmdir "$1/sbin"
}
