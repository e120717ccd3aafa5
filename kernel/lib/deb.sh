# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Debian packages of a kernel with the series (make bindeb-pkg). The recipe, for those who build with
# tools of their own:
#   1. the source: linux-source-BASE, with the patches of the topics in their order (kernel/run apply)
#   2. the configuration: Debian's own, from linux-config-BASE of the same version, whatever kernel
#      runs on the machine
#   3. two changes to it: Debian's signing keys are not in the source, and debugging information,
#      which makes it several times as large and the build twice as long, is left out
#   4. make olddefconfig bindeb-pkg, with a name and a version of its own, so that Debian's kernel
#      stays installed beside it and the package manager knows which is which

# deb_config BASE VERSION FLAVOUR OUT: Debian's configuration as OUT/.config.
deb_config() {
	local base=$1 version=$2 flavour=$3 out=$4 dir

	dir=$(cached kconfig "$base-$(printf '%s' "$version" | hash_of)" deb_config_fetch "$base" "$version") ||
		return 1
	xz -dc "$dir/config.${flavour}_none_${flavour}.xz" >"$out/.config"
}

deb_config_fetch() {
	apt_fetch "linux-config-$1=$2" "$3" &&
		dpkg-deb --fsys-tarfile "$3"/*.deb | tar -x -C "$3" --strip-components=4 --wildcards \
			"./usr/src/linux-config-$1/config.*" && rm -f "$3"/*.deb
}

# deb_settle SRC OUT: the two changes, and what Debian's configuration does not say.
deb_settle() {
	"$1/scripts/config" --file "$2/.config" --set-str SYSTEM_TRUSTED_KEYS '' --disable DEBUG_INFO_BTF \
		--disable DEBUG_INFO_DWARF5 --disable DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT \
		--enable DEBUG_INFO_NONE && make -s -C "$1" O="$2" olddefconfig
}

# deb_build BASE VERSION CONFIG OUTPUT PATCH...
deb_build() {
	local base=$1 version=$2 config=$3 output=$4 top=$LAB/kernel/$1 out
	shift 4
	out=$top/deb-$config/build

	(
		flock 9
		build_tree "$top" "$version" "$base" "$@" || exit 1
		mkdir -p "$out"
		if [ "$config" = debian ]; then
			deb_config "$base" "$version" amd64 "$out" && deb_settle "$top/src" "$out" || exit 1
		else
			config_make "$config" "$base" "$top/src" "$out" || exit 1
		fi
		rm -f "$out"/../*.deb
		make -s -C "$top/src" O="$out" -j"$(nproc)" LOCALVERSION=-fsc KDEB_PKGVERSION="$version+fsc1" \
			DPKG_FLAGS=-d bindeb-pkg 9>&- && cp "$out"/../*.deb "$output/"
	) 9>"$LAB/kernel/$base.lock"
}

# The command: kernel/run deb -b BASE [-c CONFIG] [-o DIR] [TOPIC...].
kernel_deb() {
	local patches=() log

	install_packages apply build deb
	output=${output:-$LAB/deb/$bases}
	mkdir -p "$output"
	apply_base $bases "$@" || return 1
	mapfile -t patches < <(patches_of $bases "$@")
	log=$LAB_LOGS/deb-$bases-$config.log
	say "building packages ($config configuration; Debian's takes hours), log $log"
	deb_build $bases "$APPLY_VERSION" "$config" "$output" "${patches[@]}" >"$log" 2>&1 || {
		tail -n 30 "$log" >&2
		return 1
	}
	ls "$output"/*.deb
}
