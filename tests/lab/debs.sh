# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Debian packages that a case installs in its guest ("# Packages: WORD..." in its head): /lab/run/debs
# has WORD.deb for each.
#   debian  the old daemon, as Debian packages it
#   ours    what packaging/build-deb makes of the working tree
#   newer   the same with a higher version and one more changed file
#   profile its AppArmor profile, enforced, ready to be loaded: apparmor.policy
#   autopkgtest  the runner of the package's tests, and what it imports, each as NAME.deb

# deb_dir WORD: prints the directory with WORD.deb.
deb_dir() {
	case $1 in
	debian)
		apt_lists || return 1
		cached deb "debian-$(apt_version cachefilesd)" deb_debian
		;;
	ours) cached deb "ours-$(deb_key)" deb_ours ;;
	profile) cached deb "profile-$(hash_files packaging/apparmor)" deb_profile ;;
	autopkgtest)
		apt_lists || return 1
		cached deb "autopkgtest-$(apt_version autopkgtest)" deb_autopkgtest
		;;
	newer) cached deb "newer-$(deb_key)" deb_newer "$(memo deb-ours deb_dir ours)/ours.deb" ;;
	*)
		echo "no package is called $1" >&2
		return 1
		;;
	esac
}

# All that build-deb may look at.
deb_key() {
	{
		hash_files "${DAEMON_SOURCES[@]}" packaging README.md SECURITY.md
		dpkg-query -W gcc meson libevent-dev libcap-dev libmount-dev libsystemd-dev libc6-dev debhelper
		declare -f deb_ours deb_newer
	} 2>/dev/null | hash_of
}

deb_profile() {
	install_for package
	sed 's/, complain)/)/' "$LAB_SRC/packaging/apparmor/usr.sbin.cachefilesd" |
		apparmor_parser -Q -K -M /etc/apparmor.d/abi/3.0 -o "$1/apparmor.policy"
}

deb_autopkgtest() {
	local name

	for name in autopkgtest python3-debian python3-chardet libdpkg-perl; do
		apt_fetch $name "$1" && mv "$1/${name}"_*.deb "$1/$name.deb" || return 1
	done
}

deb_debian() {
	apt_fetch cachefilesd "$1" && mv "$1"/*.deb "$1/debian.deb"
}

deb_ours() {
	install_for package
	DEB_BUILD_OPTIONS=nocheck "$LAB_SRC/packaging/build-deb" -w -b "$1" &&
		mv "$1"/cachefilesd_*.deb "$1/ours.deb"
}

deb_newer() {
	local tree=$2/tree

	dpkg-deb -R "$1" "$tree" && sed -i 's/^\(Version: .*\)$/\1+newer1/' "$tree/DEBIAN/control" &&
		echo '# newer' >>"$tree/lib/systemd/system/cachefilesd.service" &&
		dpkg-deb --root-owner-group -b "$tree" "$2/newer.deb" && rm -rf "$tree"
}

# debs_put DIR WORD...: copies them there.
debs_put() {
	local dir=$1 word from
	shift

	mkdir -p "$dir"
	for word; do
		from=$(memo "deb-$word" deb_dir "$word") && cp -a "$from/." "$dir/" || return 1
	done
}
