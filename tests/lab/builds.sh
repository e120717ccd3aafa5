# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Builds of the daemon on the host and the tests that need no guest. Build directories are in
# LAB/tmp and go when the run ends.

# build NAME [MESON OPTION...]: compiles all, warnings are errors; CC as in the environment. The
# directory stays as LAB_BUILD/NAME.
build() {
	local name=$1 dir=$LAB_BUILD/$1

	shift
	meson setup -Dwerror=true "$@" "$dir" "$LAB_SRC" && ninja -C "$dir"
}

build_here() {
	LAB_BUILD=$(mktemp -d "$LAB/tmp/build.XXXXXX") || die "cannot write to $LAB/tmp"
	export LAB_BUILD
}

build_clang() {
	CC=clang build clang
}

# A compiler for 32 bit is there, but the libraries are those of another architecture, which this
# must not add to the machine.
build_32() {
	local probe='#include <event2/event.h>
#include <sys/capability.h>
#include <libmount/libmount.h>
int main(void) { return event_get_version() == 0; }'

	if ! printf '%s\n' "$probe" | gcc -m32 -x c - -o "$LAB_BUILD/probe32" -I/usr/include/libmount \
		-levent_core -lcap -lmount; then
		echo "no 32-bit compiler libraries here; they need a foreign architecture in apt"
		return 77
	fi
	CFLAGS=-m32 LDFLAGS=-m32 PKG_CONFIG_LIBDIR=/usr/lib/i386-linux-gnu/pkgconfig:/usr/share/pkgconfig \
		build bits32
}

# Where a distribution expects the files, with what in them.
build_install() {
	local dest=$LAB_BUILD/dest file bad=0

	DESTDIR=$dest meson install -C "$LAB_BUILD/gcc" --no-rebuild || return 1
	for file in usr/sbin/cachefilesd usr/sbin/cachefilesctl etc/cachefilesd.conf usr/share/man/man8/cachefilesd.8 \
		usr/share/man/man8/cachefilesctl.8 usr/share/cachefilesd/fsfreeze-hook \
		usr/share/bash-completion/completions/cachefilesctl usr/share/zsh/site-functions/_cachefilesctl \
		usr/share/fish/vendor_completions.d/cachefilesctl.fish usr/lib/systemd/catalog/cachefilesd.catalog \
		usr/share/man/man5/cachefilesd.conf.5; do
		[ -s "$dest/$file" ] || {
			echo "not installed: $file"
			bad=1
		}
	done
	find "$dest" -path '*/systemd/system/cachefilesd.service' | grep -q . || {
		echo "not installed: the unit"
		bad=1
	}
	"$dest/usr/sbin/cachefilesd" --version || bad=1
	"$dest/usr/sbin/cachefilesctl" --version || bad=1
	"$dest/usr/sbin/cachefilesd" --dump-config -c "$dest/etc/cachefilesd.conf" || bad=1
	return $bad
}

# build_tests NAME [SETUP]: the tests of that build, those of meson's test setup SETUP ("quick", or
# "all" with the long ones); meson's log goes to the run's logs.
build_tests() {
	local status setup=${2:-quick}

	[ -n "$(meson introspect --tests "$LAB_BUILD/$1" | tr -d '[]\n ')" ] || {
		echo "there are no tests"
		return 77
	}
	meson test -C "$LAB_BUILD/$1" --no-rebuild --setup "$setup" --print-errorlogs \
		--timeout-multiplier 4
	status=$?
	cp "$LAB_BUILD/$1/meson-logs/testlog-$setup.txt" "$LAB_LOGS/testlog-$1.txt" 2>/dev/null
	return $status
}

# The same under the address and the undefined behaviour sanitizer.
build_sanitized() {
	build sanitized -Db_sanitize=address,undefined -Db_lundef=false -Doptimization=1 \
		-Dc_args=-fno-sanitize-recover=all
}

tests_sanitized() {
	ASAN_OPTIONS=detect_leaks=1:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1 \
		build_tests sanitized all
}
