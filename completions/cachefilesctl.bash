# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Completion of cachefilesctl for bash.

_cachefilesctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command="" word
	local options="-h --help -V --version -S --socket -j --json"
	local i skip=""

	# The first word that is neither an option nor an option's argument is the command.
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		if [[ $skip ]]; then
			skip=""
			continue
		fi
		case $word in
		-S | --socket | -c | --config | --bytes | --files | --volume | --older-than | --for)
			skip=1
			;;
		-* | =) ;;
		*)
			command=${command:-$word}
			;;
		esac
	done

	COMPREPLY=()
	case $prev in
	-S | --socket | -c | --config)
		compopt -o filenames 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--bytes | --files | --volume | --older-than | --for)
		return
		;;
	esac

	case $command in
	"")
		options+=" status volumes cull yield resume reload check"
		;;
	status | volumes | resume | reload) ;;
	cull)
		options+=" --bytes --files --volume --older-than --orphans --all --no-wait"
		;;
	yield)
		options+=" --for"
		;;
	check)
		options="-h --help -V --version -c --config"
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$options" -- "$cur")
}

complete -F _cachefilesctl cachefilesctl
