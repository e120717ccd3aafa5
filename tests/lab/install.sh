# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Debian packages: what the host lacks is installed, and what goes into guests is named by version.

# The packages of tests/lab/packages whose first word is one of the arguments.
packages_for() {
	local words=" $* " where name

	while read -r where name _; do
		[[ $where == '#'* || -z $where ]] && continue
		[[ $words == *" $where "* ]] && printf '%s\n' "$name"
	done <"$LAB_SRC/tests/lab/packages"
}

apt_update() {
	local try

	for try in 1 2 3; do
		apt-get update -q >"$LAB_LOGS/apt-update.log" 2>&1 && return 0
		sleep $((try * 5))
	done
	return 1
}

# Package lists are fetched when there are none or the last fetch is a day ago. A mirror out of
# reach is no error as long as lists are there.
apt_lists() {
	local stamp=$LAB/apt-updated

	(
		flock 9
		if [ -n "$(find "$stamp" -mtime -1 2>/dev/null)" ] && [ -n "$(apt_targets)" ]; then
			exit 0
		fi
		say "fetching Debian's package lists"
		if apt_update; then
			touch "$stamp"
		elif [ -z "$(apt_targets)" ]; then
			tail -n 15 "$LAB_LOGS/apt-update.log" >&2
			die "apt-get update failed"
		fi
	) 9>"$LAB/apt.lock"
}

# install_for WORD...: installs what is missing of these packages.
install_for() {
	local wanted missing

	mapfile -t wanted < <(packages_for "$@")
	mapfile -t missing < <(missing_of "${wanted[@]}")
	[ ${#missing[@]} -gt 0 ] || return 0
	[ "$(id -u)" = 0 ] || die "not installed: ${missing[*]}; run as root to have them installed"
	apt_lists || exit 1
	(
		flock 9
		mapfile -t missing < <(missing_of "${wanted[@]}")
		[ ${#missing[@]} -gt 0 ] || exit 0
		say "installing ${missing[*]}"
		apt-get install -q -y --no-install-recommends -o DPkg::Lock::Timeout=600 \
			"${missing[@]}" >"$LAB_LOGS/apt-install.log" 2>&1 </dev/null ||
			{ apt_update && apt-get install -q -y --no-install-recommends \
				-o DPkg::Lock::Timeout=600 "${missing[@]}" \
				>"$LAB_LOGS/apt-install.log" 2>&1 </dev/null; } ||
			{
				tail -n 25 "$LAB_LOGS/apt-install.log" >&2
				die "apt-get install failed"
			}
	) 9>"$LAB/apt.lock" || exit 1
}

missing_of() {
	local name

	for name; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
			printf '%s\n' "$name"
	done
}

# Debian's own entries of the host's package sources: "RELEASE COMPONENT URI FILE".
apt_targets() {
	apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(RELEASE) $(COMPONENT) $(REPO_URI) $(FILENAME)' \
		'Created-By: Packages' 2>/dev/null |
		while read -r origin codename release component uri file; do
			[[ $origin == Debian && $codename == bookworm* ]] || continue
			[ -f "$file" ] && printf '%s %s %s %s\n' "$release" "$component" "$uri" "$file"
		done
}

# The newest version of a package that apt offers here.
apt_version() {
	apt-cache policy "$1" | sed -n 's/^ *Candidate: //p'
}

# apt_fetch PACKAGE DIR: downloads the package, at the version that apt offers.
apt_fetch() {
	local try

	for try in 1 2 3; do
		(cd "$2" && apt-get download -q -o APT::Sandbox::User=root "$1") && return 0
		sleep $((try * 3))
	done
	return 1
}
