# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# tests/run packages: what distributions get, made from the commit that is checked out; PACKAGES is
# where it is left.

command_packages() {
	no_arguments "$@"
	packaging_all
	report_end
}

packaging_all() {
	PACKAGES=$LAB_LOGS/packages
	install_for build package dist
	step "packages: Debian" packaging_deb "$PACKAGES/deb"
	step "packages: Debian, built again" packaging_again
	step "packages: lintian" packaging_lintian
	step "packages: blhc" blhc "$LAB_LOGS/packages--Debian.log"
	step "packages: rpm" packaging_rpm
	step "packages: tarball" packaging_tarball
}

packaging_deb() {
	"$LAB_SRC/packaging/build-deb" "$1"
}

# Nothing of a build is in its packages: not when it was, not where, not with how many processors.
packaging_again() {
	local file bad=0 work
	work=$(mktemp -d "$LAB/tmp/again.XXXXXX") || return 1

	DEB_BUILD_OPTIONS='nocheck parallel=1' TZ=Pacific/Kiritimati TMPDIR=$work \
		packaging_deb "$PACKAGES/again" || bad=1
	rm -rf "$work"
	[ $bad = 0 ] || return 1
	for file in "$PACKAGES"/deb/*.deb "$PACKAGES"/deb/*.dsc "$PACKAGES"/deb/*.tar.xz; do
		[ -f "$file" ] && cmp "$file" "$PACKAGES/again/${file##*/}" || bad=1
	done
	return $bad
}

packaging_lintian() {
	lintian -EviI --pedantic --fail-on error,warning --allow-root "$PACKAGES"/deb/*.changes
}

packaging_rpm() {
	local file

	"$LAB_SRC/packaging/build-rpm" "$PACKAGES/rpm" || return 1
	for file in "$PACKAGES"/rpm/*.rpm; do
		echo "${file##*/}"
		rpm -qlp "$file" || return 1
	done
}

# meson compiles what it packed, in a directory of its own, and runs the tests that are there. It
# knows no worktrees: a clone.
packaging_tarball() {
	local work status
	git -C "$LAB_SRC" rev-parse --git-dir >/dev/null 2>&1 || {
		echo "this is a released tree; meson dist wants the repository"
		return 77
	}
	work=$(mktemp -d "$LAB/tmp/dist.XXXXXX") || return 1

	git clone -q --no-hardlinks "$LAB_SRC" "$work/tree" && meson setup "$work/build" "$work/tree" &&
		MESON_TESTTHREADS=2 meson dist -C "$work/build" && cp "$work"/build/meson-dist/* "$PACKAGES"
	status=$?
	rm -rf "$work"
	return $status
}
