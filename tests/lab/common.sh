# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What every part of the lab uses: where things lie, how they are said, what is cached.
#
# All state is under LAB (CACHEFILESD_LAB, else ~/.cache/cachefilesd-lab), nothing in the checkout:
#   LAB/cache/KIND/KEY/   made once; KEY is the hash of all that went in, so it cannot be stale
#   LAB/logs/RUN/         logs of one run, kept for two weeks
#   LAB/tmp/              being made
#   LAB/slot-N, LAB/*.lock

export LC_ALL=C.UTF-8
umask 022
LAB_SRC=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../..")
: "${HOME:=$(getent passwd "$(id -u)" | cut -d: -f6)}"
: "${HOME:=/root}"
LAB=${CACHEFILESD_LAB:-$HOME/.cache/cachefilesd-lab}
LAB_START=${LAB_START:-$(date +%s)}
export HOME LAB_START
export DEBIAN_FRONTEND=noninteractive

# One line of progress, with the time since the start.
say() {
	local t=$(($(date +%s) - LAB_START))

	printf '[%2d:%02d] %s\n' $((t / 60)) $((t % 60)) "$*" >&"${LAB_SAY:-1}"
}

die() {
	printf 'tests/run: %s\n' "$*" >&2
	exit 1
}

# The directories of this run; LAB_LOGS is where its logs go.
lab_init() {
	mkdir -p "$LAB/cache" "$LAB/logs" "$LAB/tmp" || die "cannot write to $LAB"
	LAB=$(realpath "$LAB")
	LAB_LOGS=${LAB_LOGS:-$LAB/logs/$(date +%Y%m%d-%H%M%S)-$$}
	mkdir -p "$LAB_LOGS"
	export LAB LAB_LOGS
	lab_prune
}

# What nobody used for two weeks goes, and what a killed run left behind after a day.
lab_prune() {
	find "$LAB/cache" -mindepth 2 -maxdepth 2 -type d -mtime +14 -exec rm -rf {} + 2>/dev/null
	find "$LAB/logs" -mindepth 1 -maxdepth 1 -mtime +14 -exec rm -rf {} + 2>/dev/null
	find "$LAB/tmp" -mindepth 1 -maxdepth 1 -mtime +1 -exec rm -rf {} + 2>/dev/null
	return 0
}

# Hash of standard input, short enough for a path.
hash_of() {
	sha256sum | cut -c1-20
}

# Hash of the contents and names of files and directories, given relative to the checkout.
hash_files() {
	(cd "$LAB_SRC" && find "$@" -type f ! -path '*/__pycache__/*' -print0 | sort -z |
		xargs -0 sha256sum) | hash_of
}

# cached KIND KEY COMMAND...: prints LAB/cache/KIND/KEY, made before if need be by COMMAND, which
# gets an empty directory as its last argument. What COMMAND prints goes to a log. Two runs that
# want the same wait for each other; one that is killed leaves nothing that looks finished.
cached() {
	local kind=$1 key=$2 dir=$LAB/cache/$1/$2 tmp log=$LAB_LOGS/make-$1-$2.log
	shift 2

	mkdir -p "$LAB/cache/$kind"
	(
		flock 9
		if [ -d "$dir" ]; then
			touch -c "$dir"
			exit 0
		fi
		tmp=$(mktemp -d "$LAB/tmp/$kind.XXXXXX") && chmod 755 "$tmp" || exit 1
		if ! "$@" "$tmp" >"$log" 2>&1 9>&-; then
			printf 'making the %s failed; the end of %s:\n' "$kind" "$log" >&2
			tail -n 25 "$log" >&2
			rm -rf "$tmp"
			exit 1
		fi
		mv "$tmp" "$dir"
	) 9>"$LAB/cache/$kind/$key.lock" || return 1
	printf '%s\n' "$dir"
}

# memo NAME COMMAND...: what the command prints, asked once in a run: all of a run is about the same
# state of the checkout and of Debian.
memo() {
	local file=$LAB_LOGS/memo/$1

	shift
	if [ ! -s "$file" ]; then
		mkdir -p "$LAB_LOGS/memo"
		"$@" >"$file.$BASHPID" || return 1
		mv "$file.$BASHPID" "$file"
	fi
	cat "$file"
}

# seconds_of COMMAND...: runs it, leaves its duration in SECONDS_OF and returns its status.
seconds_of() {
	local begin status
	begin=$(date +%s)
	"$@"
	status=$?
	# shellcheck disable=SC2034 # read by the callers
	SECONDS_OF=$(($(date +%s) - begin))
	return $status
}

# Ends everything that a process started, the youngest last.
end_children() {
	local child

	for child in $(cat "/proc/$1/task/$1/children" 2>/dev/null); do
		kill -STOP "$child" 2>/dev/null
		end_children "$child"
		kill -KILL "$child" 2>/dev/null
	done
}
