# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Single modules that a test loads instead of the kernel's own, or that a stock kernel lacks:
# LAB/cache/kmodule/KEY/NAME.ko. They are built in a tree of their own, of which nothing else is.

# module BASE KIND PATH DIFF: prints the path of PATH.ko with DIFF on top of the source, stock or
# patched. The configuration is that of the tests' kernels.
module() {
	local base=$1 kind=$2 path=$3 diff=$4 patches=() key dir

	APPLY_VERSION=$(source_versions "$base" | head -n 1)
	[ "$kind" = stock ] || mapfile -t patches < <(patches_of "$base" $TOPICS)
	patches+=("$diff")
	key=$base-$({
		image_key "$base" "$APPLY_VERSION" debug "${patches[@]}"
		echo "$path"
		declare -f module_make
	} | hash_of)
	mkdir -p "$LAB/kernel"
	dir=$(cached kmodule "$key" module_make "$base" "$APPLY_VERSION" "$path" "${patches[@]}") || return 1
	printf '%s\n' "$dir/${path##*/}.ko"
}

# module_make BASE VERSION PATH PATCH... DIR. Without a whole build there is no list of symbols to
# check against; one that is missing is found when the module is loaded.
module_make() {
	local base=$1 version=$2 path=$3 dir=${!#} top=$LAB/kernel/$1-module out
	shift 3
	set -- "${@:1:$#-1}"
	out=$top/build-debug

	(
		flock 9
		build_tree "$top" "$version" "$base" "$@" || exit 1
		mkdir -p "$out"
		config_make debug "$base" "$top/src" "$out" || exit 1
		make -s -C "$top/src" O="$out" -j"$(nproc)" KBUILD_MODPOST_WARN=1 "$path.ko" 9>&- &&
			cp "$out/$path.ko" "$dir/"
	) 9>"$top.lock"
}

# modules_of TOPIC/NAME KERNEL: lines "PATH DIFF", the modules that the test's head asks for.
modules_of() {
	local name=$1 kernel=$2 kind=${2%%-*} key path pattern file

	for key in Module "Module-$kind"; do
		read -r path pattern < <(test_key "$name" "$key" '')
		[ "$path" ] || continue
		file=$(cd "$LAB_SRC/kernel/${name%%/*}" && compgen -G "tests/$pattern" || compgen -G "$(kernel_base "$kernel")/$pattern")
		printf '%s %s\n' "$path" "$LAB_SRC/kernel/${name%%/*}/${file:-$pattern}"
	done
}

# test_modules TOPIC/NAME KERNEL DIR: puts those modules into DIR.
test_modules() {
	local path diff file base
	base=$(kernel_base "$2")

	while read -r path diff; do
		mkdir -p "$3"
		[[ $2 != *-"$base"-* ]] || {
			echo "modules are built with the debug configuration only" >&2
			return 1
		}
		file=$(module "$base" "${2%%-*}" "$path" "$diff") && cp "$file" "$3/" || return 1
	done < <(modules_of "$1" "$2")
}
