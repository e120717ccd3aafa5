# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Configurations and kernels. A kernel is LAB/cache/kimage/KEY with arch/x86/boot/bzImage as in a
# build directory and lib/modules; KEY stands for source version, patches, configuration and compiler.

# config_lines CONFIG BASE [SRC]: the lines of kernel/config that hold for both, and of those for new
# symbols the ones that SRC knows, without SRC all.
config_lines() {
	local parts=base name line

	case $1 in
	debug) parts="base lockdep debug" ;;
	lockdep) parts="base lockdep" ;;
	bench) parts="base bench" ;;
	*) die "no configuration is called $1; there are: debug lockdep bench" ;;
	esac
	for name in $parts; do
		cat "$LAB_SRC/kernel/config/$name"
	done | sed -n "s/^@$2 //; /^CONFIG_/p; /^# CONFIG_/p; /^@new /p" | while read -r line; do
		if [[ $line == '@new '* ]]; then
			line=${line#@new }
			name=${line#CONFIG_}
			[ $# -lt 3 ] || grep -qx "config ${name%%=*}" "$3/lib/Kconfig.debug" || continue
		fi
		printf '%s\n' "$line"
	done
}

# config_make CONFIG BASE SRC OUT: writes OUT/.config. What does not hold in the end is an error.
config_make() {
	local config=$1 base=$2 src=$3 out=$4 line symbol bad=0

	make -s -C "$src" O="$out" tinyconfig && config_lines "$config" "$base" "$src" >>"$out/.config" &&
		make -s -C "$src" O="$out" olddefconfig || return 1
	# Of a symbol that is named twice the last line counts.
	while read -r line; do
		case $line in
		'# '*)
			symbol=${line#\# }
			symbol=${symbol%% *}
			! grep -q "^$symbol=" "$out/.config"
			;;
		*=n) ! grep -q "^${line%%=*}=" "$out/.config" ;;
		*) grep -qxF -- "$line" "$out/.config" ;;
		esac || {
			echo "the configuration has not: $line"
			bad=1
		}
	done < <(config_lines "$config" "$base" "$src" | tac | awk '{ s = $0; sub(/^# /, "", s); sub(/[ =].*/, "", s) } !seen[s]++')
	return $bad
}

# image_key BASE VERSION CONFIG PATCH...
image_key() {
	local base=$1 version=$2 config=$3
	shift 3

	{
		printf '%s\n' "$version"
		config_lines "$config" "$base"
		gcc --version | head -n 1
		ld --version | head -n 1
		declare -f config_make image_make
		# What a patch says about itself does not change the kernel.
		[ $# = 0 ] || sed -n '/^diff --git /,$p' "$@"
	} | hash_of
}

# build_tree TOP VERSION BASE PATCH...: brings TOP/src to stock plus the patches. Files that stay as
# they are keep their times, so that make has little to do.
build_tree() {
	local top=$1 version=$2 base=$3 stock new file
	shift 3

	stock=$(source_tree "$base" "$version") || return 1
	mkdir -p "$top"
	if [ "$(cat "$top/version" 2>/dev/null)" != "$version" ]; then
		rm -rf "$top/src"
		# Hard links where it is one filesystem: patch and the lines below replace files, they
		# never write into them.
		cp -al "$stock" "$top/src" 2>/dev/null || { rm -rf "$top/src" && cp -a "$stock" "$top/src"; } ||
			return 1
		: >"$top/touched"
		printf '%s\n' "$version" >"$top/version"
	fi
	new=$(mktemp -d "$LAB/tmp/tree.XXXXXX") || return 1
	{
		[ $# = 0 ] || grep -hE '^(---|\+\+\+) [ab]/' "$@" | sed 's/^[-+]* [ab]\///; s/[\t ].*//'
	} | sort -u >"$new.touched"
	while read -r file; do
		[ ! -f "$stock/$file" ] || { mkdir -p "$(dirname "$new/$file")" && cp -a "$stock/$file" "$new/$file"; }
	done < <(sort -u "$top/touched" "$new.touched")
	apply_list "$new" "$@" >"$new.log" || {
		cat "$new.log" >&2
		return 1
	}
	while read -r file; do
		if [ ! -f "$new/$file" ]; then
			rm -f "$top/src/$file"
		elif ! cmp -s "$new/$file" "$top/src/$file"; then
			mkdir -p "$(dirname "$top/src/$file")"
			rm -f "$top/src/$file"
			cp -p "$new/$file" "$top/src/$file"
			touch "$top/src/$file"
		fi
	done < <(sort -u "$top/touched" "$new.touched")
	mv "$new.touched" "$top/touched"
	rm -rf "$new" "$new.log"
}

# image_make BASE VERSION CONFIG PATCH... DIR: builds in LAB/kernel/BASE, leaves the result in DIR.
# Stock and patched kernels of a base take turns in one tree: between them only what the series touch
# is built again.
image_make() {
	local base=$1 version=$2 config=$3 dir=${!#} top=$LAB/kernel/$1 out file
	shift 3
	set -- "${@:1:$#-1}"
	out=$top/build-$config

	(
		flock 9
		build_tree "$top" "$version" "$base" "$@" || exit 1
		mkdir -p "$out"
		config_make "$config" "$base" "$top/src" "$out" || exit 1
		make -s -C "$top/src" O="$out" -j"$(nproc)" bzImage modules 9>&- &&
			make -s -C "$top/src" O="$out" INSTALL_MOD_PATH="$dir" modules_install || exit 1
		rm -f "$dir"/lib/modules/*/build "$dir"/lib/modules/*/source
		mkdir -p "$dir/arch/x86/boot"
		cp "$out/arch/x86/boot/bzImage" "$dir/arch/x86/boot/" || exit 1
		for file in .config System.map; do
			[ ! -f "$out/$file" ] || cp "$out/$file" "$dir/"
		done
	) 9>"$LAB/kernel/$base.lock"
}

# image BASE KIND CONFIG [TOPIC...]: prints the path of the bzImage. KIND: stock or patched.
image() {
	local base=$1 kind=$2 config=$3 patches=() key dir
	shift 3

	if [ "$kind" = stock ]; then
		APPLY_VERSION=$(source_versions "$base" | head -n 1)
		[ -n "$APPLY_VERSION" ] || die "apt has no linux-source-$base, and none is installed"
	else
		apply_base "$base" "$@" || return 1
		mapfile -t patches < <(patches_of "$base" "$@")
	fi
	[ -z "${extra:-}" ] || patches+=("$extra")
	key=$base-$(image_key "$base" "$APPLY_VERSION" "$config" "${patches[@]}")
	mkdir -p "$LAB/kernel"
	if [ ! -d "$LAB/cache/kimage/$key" ]; then
		say "building $kind $base ($config): up to half an hour the first time, log $LAB_LOGS/make-kimage-$key.log"
	fi
	dir=$(cached kimage "$key" image_make "$base" "$APPLY_VERSION" "$config" "${patches[@]}") ||
		return 1
	printf '%s\n' "$dir/arch/x86/boot/bzImage"
}
