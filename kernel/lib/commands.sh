# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The commands of kernel/run and their help.

kernel_usage() {
	cat <<-END
		kernel/run COMMAND [-b BASE] [ARGUMENT...] [TOPIC...]

		  apply   takes the newest linux-source that apt has and applies the series, fuzz 0; says
		          offsets, and on a failure patch and hunk. A series that does not apply to the
		          newest version is tried on older ones that apt lists.
		  image   builds a kernel, or finds it built, and prints the path of its bzImage
		            --stock       without the series
		            -c CONFIG     debug (default: lockdep, KASAN, kmemleak), lockdep or bench
		            -x FILE       with that diff on top
		  build   image for stock and patched
		            -k stock|patched
		  deb     Debian packages of the kernel with the series (make bindeb-pkg), from Debian's own
		          configuration; kernel/lib/deb.sh is the recipe. Takes hours.
		            -c CONFIG     debian (default), or one of ours as for image
		            -o DIR        where the packages go
		  check   each patch: checkpatch --strict, build of what it touches with W=1, sparse and
		          kernel-doc against the steps before; the end with clang and allmodconfig
		            -p            patches only (checkpatch), no builds
		            --whole       all of allmodconfig's fs/, not only what is touched: an hour more
		  test    boots stock and patched and runs kernel/TOPIC/tests
		            -k stock|patched, -t TEST[,TEST...], -v VARIANT, -c CONFIG as for image
		            --together    those of a topic in one guest; -k patched unless said
		            --record      writes what was seen to kernel/TOPIC/results.tsv
		            --check       only those of tests/run check; what fails is run once more
		  soak    all topics' stress side by side in one guest, on the kernel with the series
		            -s SECONDS    (default 120), --record, --check
		  status  the tables of results of all topics

		BASE: $BASES (default all). TOPIC: $TOPICS (default all, in this order).
		Packages that are missing are installed. Everything else is kept under
		\${CACHEFILESD_LAB:-~/.cache/cachefilesd-lab}, logs in its logs/.
	END
}

kernel_wrong() {
	printf 'kernel/run: %s\n' "$1" >&2
	kernel_usage >&2
	exit 2
}

kernel_main() {
	local command=${1:-} base bases='' topics='' kinds="stock patched" config='' only='' kind=patched
	local output='' chosen='' record='' together='' checks='' whole='' seconds=120 extra=''
	[ $# = 0 ] || shift

	case $command in
	-h | --help | help)
		kernel_usage
		exit 0
		;;
	apply | image | build | deb | check | test | soak | status) ;;
	'') kernel_wrong "which command?" ;;
	*) kernel_wrong "there is no command $command" ;;
	esac
	while [ $# -gt 0 ]; do
		case $1 in
		-h | --help)
			kernel_usage
			exit 0
			;;
		-b | -c | -k | -o | -t | -v | -s | -x) [ $# -ge 2 ] || kernel_wrong "$1 wants an argument" ;;&
		-b)
			[[ " $BASES " == *" $2 "* ]] || kernel_wrong "no base is called $2"
			bases+=" $2"
			shift
			;;
		-c)
			config=$2
			shift
			;;
		-k)
			[[ $2 == stock || $2 == patched ]] || kernel_wrong "-k stock or -k patched"
			kinds=$2
			shift
			;;
		-o)
			output=$2
			shift
			;;
		-t)
			only=$2
			shift
			;;
		-v)
			chosen=$2
			shift
			;;
		-s)
			[[ $2 =~ ^[1-9][0-9]*$ ]] || kernel_wrong "-s wants seconds"
			seconds=$2
			shift
			;;
		-x)
			grep -q '^diff --git ' "$2" 2>/dev/null || kernel_wrong "-x wants a file with a git diff"
			extra=$(realpath "$2")
			shift
			;;
		--record) record=1 ;;
		--together) together=1 ;;
		--check) checks=1 ;;
		--whole) whole=1 ;;
		-p) only=patches ;;
		--stock) kind=stock ;;
		-*) kernel_wrong "no option is called $1" ;;
		*)
			[[ " $TOPICS " == *" $1 "* ]] || kernel_wrong "no topic is called $1"
			topics+=" $1"
			;;
		esac
		shift
	done
	lab_init
	: "${bases:=$BASES}" "${topics:=$TOPICS}"
	if [[ $command == image || $command == deb ]] && [ "$(wc -w <<<"$bases")" != 1 ]; then
		kernel_wrong "$command wants one -b BASE"
	fi
	if [ "$command" = deb ]; then
		bases=${bases# }
		: "${config:=debian}"
	fi
	: "${config:=debug}"
	# shellcheck disable=SC2086 # lists of words
	kernel_"$command" $topics
}

kernel_apply() {
	local base bad=0

	install_packages apply
	for base in $bases; do
		apply_base "$base" "$@" || bad=1
	done
	return $bad
}

kernel_image() {
	install_packages apply build
	# shellcheck disable=SC2086 # one word
	image $bases "$kind" "$config" "$@"
}

kernel_build() {
	local base bad=0

	install_packages apply build
	for base in $bases; do
		for kind in $kinds; do
			image "$base" "$kind" "$config" "$@" || bad=1
		done
	done
	return $bad
}
