# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Gates: what is true of every file of the project, whatever it does. Each prints what offends.

# The project's files, relative to the checkout.
project_files() {
	if git -C "$LAB_SRC" rev-parse --git-dir >/dev/null 2>&1; then
		git -c safe.directory='*' -C "$LAB_SRC" ls-files --cached --others --exclude-standard |
			while read -r file; do [ -f "$LAB_SRC/$file" ] && printf '%s\n' "$file"; done
	else
		(cd "$LAB_SRC" && find . -type f ! -path './.git/*' ! -path './build*' ! -name '*.pyc' \
			-printf '%P\n')
	fi | sort
}

# Shell scripts, by name or first line.
shell_files() {
	project_files | grep -vE '\.(patch|c|h|md|json|tsv)$' | while read -r file; do
		if head -n 4 "$LAB_SRC/$file" | grep -qE '^#!.*\bbash|^#!/bin/sh|^#.*shellcheck shell=bash'; then
			printf '%s\n' "$file"
		fi
	done
}

gate_format() {
	cd "$LAB_SRC" || return 1
	project_files | grep -E '\.[ch]$' | xargs -r clang-format --dry-run -Werror
}

gate_licence() {
	local file bad=0

	while read -r file; do
		case $file in
		COPYING | *.patch | *.json) continue ;;
		# Formats that know no comments.
		packaging/debian/changelog | packaging/debian/source/format) continue ;;
		esac
		head -n 5 "$LAB_SRC/$file" | grep -q 'SPDX-License-Identifier: ' || {
			echo "$file: no SPDX line among the first five"
			bad=1
		}
	done < <(project_files)
	return $bad
}

gate_length() {
	local file lines bad=0

	while read -r file; do
		case $file in
		COPYING | *.patch) continue ;;
		esac
		lines=$(wc -l <"$LAB_SRC/$file")
		[ "$lines" -le 500 ] || {
			echo "$file: $lines lines, more than 500"
			bad=1
		}
	done < <(project_files)
	return $bad
}

# What does not belong into the repository: notes to ourselves, numbers of a tracker that readers
# do not have, paths of a machine. The patterns must not find themselves.
gate_words() {
	local words='\b(TO[D]O|FIX[M]E)\b|\bissue[s]? #?[0-9]|\.\./share[d]/|(^|[^a-zA-Z0-9._-])/wor[k]/|/roo[t]/\.'

	cd "$LAB_SRC" || return 1
	! project_files | grep -vE '^COPYING$|\.patch$' | xargs -r grep -nIE "$words" --
}

# Parts are read into one another: what one sets, another uses (SC2034, SC2154).
gate_shell() {
	cd "$LAB_SRC" || return 1
	shell_files | xargs -r shellcheck -x -S warning -e SC2034,SC2054,SC2154,SC1090,SC1091
}

gate_python() {
	cd "$LAB_SRC" || return 1
	project_files | grep '\.py$' | while read -r file; do
		python3 -c 'import ast, sys; ast.parse(open(sys.argv[1]).read(), sys.argv[1])' "$file" || exit 1
	done
}

# The pages say every directive and option that the program knows, and format without a warning.
# BINARY is the daemon as built, CTL cachefilesctl.
gate_manual() {
	local binary=$1 ctl=$2 page bad=0 word

	cd "$LAB_SRC/man" || return 1
	for page in *.[1-8]; do
		[ -f "$page" ] || continue
		groff -mandoc -Tutf8 -ww -z "$page" >/tmp/groff.$$ 2>&1
		[ ! -s /tmp/groff.$$ ] || { cat /tmp/groff.$$ && bad=1; }
		rm -f /tmp/groff.$$
	done
	for word in $("$binary" --help 2>&1 | grep -oE '(^|[ ,|[])--?[a-zA-Z][a-z-]*' | tr -d ' ,|[' | sort -u); do
		groff -mandoc -Tascii -P-cbou cachefilesd.8 | grep -F -- "$word" >/dev/null || {
			echo "cachefilesd.8 does not mention $word"
			bad=1
		}
	done
	for word in $("$ctl" --help | grep -oE '(^|[ ,|[])--?[a-zA-Z][a-z-]*|^  [a-z]+  ' | tr -d ' ,|[' |
		sort -u); do
		groff -mandoc -Tascii -P-cbou cachefilesctl.8 | grep -wF -- "$word" >/dev/null || {
			echo "cachefilesctl.8 does not mention $word"
			bad=1
		}
	done
	printf 'dir /var/cache/fscache\n' >"$LAB_LOGS/manual.conf"
	for word in $("$binary" --dump-config -c "$LAB_LOGS/manual.conf" | sed 's/^#* *//' |
		grep -oE '^[a-z_]+' | sort -u); do
		grep -qwF -- "$word" cachefilesd.conf.5 || {
			echo "cachefilesd.conf.5 does not mention $word"
			bad=1
		}
	done
	gate_manual_tables || bad=1
	return $bad
}

# Metrics, messages and exit codes: the page has those of the tables in the code, and no others.
gate_manual_tables() {
	local word bad=0 metrics

	metrics=$(sed -n 's/^\t{P "\([a-z_]*\)", \([A-Z]*\),.*/cachefilesd_\1:\2/p' ../cachefilesd/metrics.c |
		sed 's/:COUNTER/_total/; s/:INFO/_info/; s/:.*//')
	for word in $metrics $(grep -oE '"[0-9a-f]{32}"' ../cachefilesd/messages.h | tr -d '"'); do
		grep -qwF -- "$word" cachefilesd.8 || {
			echo "cachefilesd.8 does not mention $word"
			bad=1
		}
	done
	for word in $(sed -n 's/^\.It Cm \(cachefilesd_[a-z_]*\)$/\1/p' cachefilesd.8); do
		grep -qxF -- "$word" <<<"$metrics" || {
			echo "cachefilesd.8 has a metric that is not there: $word"
			bad=1
		}
	done
	for word in $(sed -n 's/^\tEXIT_[A-Z]* = \([0-9]*\),.*/\1/p' ../cachefilesd/options.h); do
		grep -qx "\.It $word" cachefilesd.8 || {
			echo "cachefilesd.8 does not explain the exit code $word"
			bad=1
		}
	done
	return $bad
}

# All that states a version states the same.
gate_versions() {
	local version deb rpm

	cd "$LAB_SRC" || return 1
	version=$(sed -n "s/^ *version: '\(.*\)',/\1/p" meson.build)
	deb=$(sed -n '1s/^cachefilesd (\(.*\)) .*/\1/p' packaging/debian/changelog)
	rpm=$(sed -n 's/^Version: *//p' packaging/rpm/cachefilesd.spec)
	echo "meson.build $version, debian/changelog $deb, rpm $rpm"
	[ -n "$version" ] && [ "$version" = "$deb" ] && [ "$version" = "$rpm" ]
}

# The unit is as closed as it was: systemd-analyze's exposure, in tenths, is at most 13 (units/ says
# what each of them is for), and nothing in it is unknown. UNIT is the unit as built.
gate_unit() {
	local unit=$1 log=$LAB_LOGS/unit-verify.log

	systemd-analyze security --offline=true --threshold=13 --no-pager "$unit" || return 1
	# The program and the manual are not installed here.
	systemd-analyze verify "$unit" 2>&1 | grep -E "^(.*/)?$(basename "$unit"):" |
		grep -vE 'is not executable|Command .man ' >"$log"
	[ ! -s "$log" ] || { cat "$log" && return 1; }
}

# Every patch of ours applies to the kernel that it is for.
gate_kernel() {
	"$LAB_SRC/kernel/run" apply -b "$1"
}
