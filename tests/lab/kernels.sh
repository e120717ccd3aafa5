# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Kernels to boot: Debian's packages with their modules, and those that kernel/run builds, which
# have all built in. A kernel is a directory with vmlinuz, release and lib/modules/RELEASE. Of those built
# here stock-BASE-CONFIG and patched-BASE-CONFIG are with another configuration than debug.

KERNELS="debian-6.1 debian-6.12 stock-6.1 stock-6.12 patched-6.1 patched-6.12"

# kernel_known NAME: whether it can be one of them.
kernel_known() {
	[[ " $KERNELS " == *" $1 "* || $1 =~ ^(stock|patched)-6\.(1|12)-(lockdep|bench)$ ]]
}

# kernel_base KERNEL: prints 6.1 or 6.12.
kernel_base() {
	local base=${1#*-}

	printf '%s\n' "${base%%-*}"
}

# kernel_dir KERNEL: prints its directory.
kernel_dir() {
	local base image options=() package version extra
	base=$(kernel_base "$1")

	case $1 in
	debian-*)
		apt_lists || return 1
		package=$(kernel_package "$base")
		[ -n "$package" ] || {
			echo "apt offers no linux-image-$base for amd64 here" >&2
			return 1
		}
		version=$(apt_version "$package")
		cached kernel "$package-$(printf '%s' "$version$(declare -f kernel_unpack)" | hash_of)" \
			kernel_unpack "$package"
		;;
	stock-* | patched-* | scratch-*)
		[ -x "$LAB_SRC/kernel/run" ] || {
			echo "kernel/run is not there to build $1" >&2
			return 1
		}
		[[ $1 != stock-* ]] || options+=(--stock)
		if [[ $1 == scratch-* ]]; then
			# scratch-BASE-NAME: with the diff NAME, which is with the tests of a topic.
			extra=$(ls "$LAB_SRC"/kernel/*/tests/"${1#*"$base"-}.diff")
			options+=(-x "$extra")
		elif [[ $1 == *-"$base"-* ]]; then
			options+=(-c "${1#*"$base"-}")
		fi
		image=$("$LAB_SRC/kernel/run" image -b "$base" "${options[@]}" </dev/null | tail -n 1)
		[ -f "$image" ] || {
			echo "kernel/run image gave no image for $1" >&2
			return 1
		}
		cached kernel "$1-$(sha256sum <"$image" | cut -c1-20)" kernel_built "$image"
		;;
	*)
		echo "no kernel is called $1; there are: $KERNELS" >&2
		return 1
		;;
	esac
}

# The newest packaged kernel of a base, not the cloud or real-time one.
kernel_package() {
	apt-cache --names-only search "^linux-image-${1//./\\.}\.[0-9]" | awk '{ print $1 }' |
		grep -E "^linux-image-${1//./\\.}\.[0-9]+(-[0-9]+|\+deb[0-9]+)-amd64$" |
		sort -V | tail -n 1
}

kernel_unpack() {
	local package=$1 dir=$2 modules

	apt_fetch "$package" "$dir" && dpkg-deb -x "$dir"/*.deb "$dir/tree" || return 1
	modules=$(find "$dir/tree" -maxdepth 4 -path '*lib/modules/*' -type d | head -n 1)
	basename "$modules" >"$dir/release"
	mkdir -p "$dir/lib/modules" && mv "$modules" "$dir/lib/modules/" || return 1
	mv "$dir"/tree/boot/vmlinuz-* "$dir/vmlinuz" || return 1
	rm -rf "$dir/tree" "$dir"/*.deb
	depmod -b "$dir" "$(cat "$dir/release")"
}

# The version string of a bzImage starts 0x200 bytes after where offset 0x20e points.
kernel_built() {
	local image=$1 dir=$2 offset release

	offset=$(od -An -tu2 -j $((0x20e)) -N 2 "$image" | tr -d ' ')
	release=$(tail -c +$((offset + 0x200 + 1)) "$image" | tr '\0' ' ' | head -c 200 | cut -d' ' -f1)
	[ -n "$release" ] || return 1
	echo "$release" >"$dir/release"
	mkdir -p "$dir/lib"
	cp "$image" "$dir/vmlinuz" && cp -a "$(dirname "$image")/../../../lib/modules" "$dir/lib/" || return 1
	depmod -b "$dir" "$release"
}
