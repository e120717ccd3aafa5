# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The commands of tests/run and their help.

usage() {
	cat <<-'END'
		tests/run COMMAND [ARGUMENT...]

		  demo        the daemon at its main job, shown in words (under 10 minutes from nothing)
		  check       everything that must pass before a change is taken; what CI runs
		  full        check, and what takes long: soaks, and the rows of kernels that we build
		  unit        on this host alone, under 2 minutes
		  vm          cases in virtual machines, by name
		  packages    what distributions get: Debian and rpm packages, the release's tarball
		  bench       figures beside those of other daemons
		  coverage    which lines the unit tests reach

		Each explains itself with --help. Run as root from a checkout on Debian 12; packages that
		are missing are installed (tests/lab/packages lists them and what for). Everything else is
		kept under ${CACHEFILESD_LAB:-~/.cache/cachefilesd-lab}, logs in its logs/.
		The last line is "N passed, N failed, N skipped"; the exit status is 0 if none failed,
		1 if some did, 2 for a wrong command line.
	END
}

usage_demo() {
	cat <<-'END'
		tests/run demo [-k KERNEL]

		Boots Debian with systemd on a packaged kernel (debian-6.1), starts the daemon there with
		`systemctl start cachefilesd`, mounts NFS with -o fsc and shows the cache fill, reach its
		limits and be culled, and how much of a second read comes from it.
	END
}

usage_check() {
	cat <<-'END'
		tests/run check

		Gates (formatting, licences, words, lengths, manual), builds (gcc, clang, -O0, -O3, LTO,
		without systemd, installation), unit tests and fake device plain and under sanitizers, then
		the VM cases on debian-6.1 and debian-6.12, two guests side by side; then the kernels with
		the series of kernel/: the cases that need them, the series' own tests, two minutes of their
		soak. A VM case that fails is run once more, alone, and counts as that run ends: emulated
		guests can starve. The first failure is shown all the same.
	END
}

usage_full() {
	cat <<-'END'
		tests/run full

		tests/run check and packages, then the variants that check leaves out, all tests of the series on kernels
		without and with them, an hour of their soak, and the VM cases on the kernels that
		kernel/run builds (stock-6.1, stock-6.12, patched-6.1, patched-6.12). Takes hours. What came
		out is to be recorded in tests/RESULTS.md and, by kernel/run test --record, in
		kernel/TOPIC/results.tsv.
	END
}

usage_unit() {
	cat <<-'END'
		tests/run unit

		Builds the daemon, runs its unit tests and the runs against a fake device on this host.
	END
}

usage_vm() {
	cat <<-END
		tests/run vm [-k KERNEL] [-d ours|debian] [-l] [CASE[:VARIANT]...]

		Runs cases in virtual machines; without a name, all that are for the kernel.
		  -k KERNEL   $KERNELS
		              (default debian-6.1); of those that we build, -lockdep and -bench after the
		              name is a kernel with less, or nothing, that looks for faults
		  -d DAEMON   ours (default), or debian for the old daemon as Debian packages it
		  -l          show the output as it comes, one case at a time

		Cases: $(case_names | paste -sd' ')
	END
}

usage_packages() {
	cat <<-'END'
		tests/run packages

		From the commit that is checked out: the Debian packages, twice, which must be the same byte
		for byte; lintian and blhc on them; the rpm packages; the tarball of `meson dist` and its tests.
		They are left in the run's logs, in packages/. What wants a machine of its own are VM cases:
		tests/run vm [-k KERNEL] upgrade boot apparmor autopkgtest
	END
}

usage_bench() {
	cat <<-'END'
		tests/run bench [NAME...]

		Figures of the daemon beside those of the old one, from the programs tests/bench/NAME, whose
		heads say what can be chosen:

		  fake    on this host with the fake kernel: CPU seconds, system calls, memory
		  kernel  in a guest on a real kernel without debugging, by its count of instructions
	END
}

usage_coverage() {
	cat <<-'END'
		tests/run coverage

		Builds with gcov, runs the unit tests and the fake device, prints lines reached by file.
	END
}

wrong() {
	printf 'tests/run: %s\n' "$1" >&2
	usage >&2
	exit 2
}

commands_main() {
	local command=${1:-}

	case $command in
	-h | --help | help)
		usage
		exit 0
		;;
	demo | check | full | unit | vm | packages | bench | coverage) shift ;;
	'') wrong "which command?" ;;
	*) wrong "there is no command $command" ;;
	esac
	case ${1:-} in
	-h | --help)
		"usage_$command"
		exit 0
		;;
	esac
	lab_init
	"command_$command" "$@"
}

# With no arguments: nothing is left over.
no_arguments() {
	[ $# = 0 ] || wrong "$1 makes no sense here"
}

command_vm() {
	local option kernel=debian-6.1 live='' plan
	OPTIND=1

	while getopts k:d:l option; do
		case $option in
		k) kernel=$OPTARG ;;
		d) export LAB_DAEMON=$OPTARG ;;
		l) live=1 ;;
		*) wrong "see tests/run vm --help" ;;
		esac
	done
	shift $((OPTIND - 1))
	kernel_known "$kernel" || wrong "no kernel is called $kernel"
	[[ ${LAB_DAEMON:-ours} == ours || $LAB_DAEMON == debian ]] || wrong "no daemon is called $LAB_DAEMON"
	plan=$(case_expand "$kernel" "$@") || exit 2
	# shellcheck disable=SC2001 # every line
	plan=$(sed "s/^/$kernel /" <<<"$plan")
	install_for build vm
	vm_prepare "$kernel" || exit 1
	if [ "$live" ]; then
		export M_LIVE=1
	fi
	vm_batch "${live:-2}" 0 <<<"$plan"
	report_end
}

# What takes long to make the first time, said in words.
vm_prepare() {
	local kernel

	for kernel; do
		say "kernel $kernel"
		memo "kernel-$kernel" kernel_dir "$kernel" >/dev/null || return 1
	done
	say "Debian for the guests"
	memo root guest_root >/dev/null && memo disk guest_disk >/dev/null || return 1
	say "the daemon for the guests"
	memo "stage-${LAB_DAEMON:-ours}" daemon_stage "${LAB_DAEMON:-ours}" >/dev/null
}

command_demo() {
	local option kernel=debian-6.1 begin log status
	OPTIND=1

	while getopts k: option; do
		case $option in
		k) kernel=$OPTARG ;;
		*) wrong "see tests/run demo --help" ;;
		esac
	done
	kernel_known "$kernel" || wrong "no kernel is called $kernel"
	begin=$(date +%s)
	echo "cachefilesd at work: in a virtual machine with Debian, systemd and an NFS server of its own." >&3
	echo "Preparing it comes first; that takes some minutes the first time and seconds later." >&3
	install_for build vm
	vm_prepare "$kernel" || exit 1
	log=$LAB_LOGS/vm-demo
	say "booting it; what follows are its own words"
	M_LIVE=1 case_run "$kernel" demo - "$log" >&3
	status=$?
	echo >&3
	case $status in
	0) report pass demo $(($(date +%s) - begin)) "$log" "set-up included" ;;
	*) report fail demo $(($(date +%s) - begin)) "$log" "$(cat "$log/verdict")" ;;
	esac
	report_end
}
