# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of cachefilesd for bash.

_cachefilesd() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}

	COMPREPLY=()
	case $prev in
	-c | --config | -f | -p)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--ready-after)
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "-c --config -f -n -s -d -p -N --no-wait --ready-after -t \
		--dump-config -V -v --version -h --help" -- "$cur")
}

complete -F _cachefilesd cachefilesd
