# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# The virtual machine: one run of a script in a guest, with a verdict in words. At most LAB_GUESTS
# (2) run side by side on the host, whoever started them.

# machine_accel: prints "kvm" where a guest boots under it within seconds, else "tcg". Asked once
# per boot of the host; /dev/kvm may be there and hang.
machine_accel() {
	local known answer kernel=$1 initramfs=$2 log=$LAB_LOGS/kvm-probe.log
	known=$LAB/accel-$(cat /proc/sys/kernel/random/boot_id)

	(
		flock 9
		if [ ! -s "$known" ]; then
			answer=tcg
			# The probe's root is missing: getting as far as saying so is enough.
			if [ -w /dev/kvm ] && timeout -k 2 15 qemu-system-x86_64 -accel kvm -cpu host \
				-M q35 -m 512 -nodefaults -no-user-config -display none -no-reboot \
				-kernel "$kernel" -initrd "$initramfs" -serial "file:$log" \
				-append "console=ttyS0 panic=-1 rdinit=/init lab.guest=probe" \
				</dev/null >/dev/null 2>&1 && grep -q 'lab: verdict' "$log"; then
				answer=kvm
			fi
			echo "$answer" >"$known.$$" && mv "$known.$$" "$known"
		fi
	) 9>"$LAB/accel.lock"
	cat "$known"
}

# machine_slot COMMAND...: runs it while holding one of the places for guests.
machine_slot() {
	local n

	while :; do
		for n in $(seq "${LAB_GUESTS:-2}"); do
			(
				flock -n 9 || exit 250
				"$@" 9>&-
			) 9>"$LAB/slot-$n"
			n=$?
			[ $n = 250 ] || return $n
		done
		sleep 1
	done
}

# machine_run: boots a guest as these variables say and prints its verdict on the last line of
# DIR/verdict; returns the script's status, 124 out of time, 125 the guest died.
#   M_DIR      where script output ("output"), console ("console"), verdict go; made
#   M_KERNEL M_GUEST (quick, system) M_TIMEOUT (seconds) M_MEMORY (MiB) M_CPUS
#   M_DAEMON   ours, debian or none;  M_PACKAGES  words of debs.sh
#   M_BOOTS    how many at most (default 5)
#   M_DISKS    sizes in MiB, vda.. in a quick guest, vdb.. in the other
#   M_IMAGES   an array: files that are copied as disks, before those
#   M_COUNTED  not empty: one processor whose every instruction takes two nanoseconds of the guest's
#              time, whatever the host does; then M_TIMEOUT is in the guest's seconds, M_PATIENCE
#              (an hour) how long the host waits
#   M_APPEND   more for the kernel's command line
#   M_SCRIPT   path in the guest;  M_ARGUMENTS  an array
#   M_LIVE     not empty: the output is shown as it comes
machine_run() {
	local kernel initramfs root stage image='' accel status

	mkdir -p "$M_DIR/run"
	kernel=$(memo "kernel-$M_KERNEL" kernel_dir "$M_KERNEL") &&
		initramfs=$(memo "initramfs-$M_KERNEL" guest_initramfs "$kernel") &&
		root=$(memo root guest_root) && stage=$(memo "stage-$M_DAEMON" daemon_stage "$M_DAEMON") || {
		machine_verdict "the guest could not be prepared"
		return 126
	}
	# shellcheck disable=SC2086 # a list of words
	debs_put "$M_DIR/run/debs" ${M_PACKAGES:-} || {
		machine_verdict "its packages could not be made"
		return 126
	}
	if [ "$M_GUEST" = system ]; then
		image=$(memo disk guest_disk) || return 126
	fi
	accel=$(machine_accel "$kernel/vmlinuz" "$initramfs")
	printf '%s\0' "${M_ARGUMENTS[@]}" >"$M_DIR/run/arguments"
	{
		printf 'LAB_TIMEOUT=%s\n' "$M_TIMEOUT"
		printf 'LAB_SCRIPT=%q\n' "$M_SCRIPT"
		# Programs that a run brings along.
		echo 'export BIN=/lab/run/bin'
		printf 'export LAB_KERNEL=%s LAB_DAEMON=%s LAB_ACCEL=%s LAB_CPUS=%s\n' "$M_KERNEL" \
			"$M_DAEMON" "$accel" "$M_CPUS"
	} >"$M_DIR/run/settings"
	: >"$M_DIR/output"
	: >"$M_DIR/console"
	machine_slot machine_boot
	status=$?
	rm -f "$M_DIR"/disk-*
	return $status
}

# What machine_run runs in its slot; uses its variables.
machine_boot() {
	local q=() size file n=0 begin status left boots=1 showing=''
	begin=$(date +%s)

	if [ "${M_COUNTED:-}" ]; then
		q=(-accel tcg,thread=single -icount "shift=1,align=off,sleep=off" -cpu qemu64)
	elif [ "$accel" = kvm ]; then
		q=(-accel kvm -cpu host)
	else
		q=(-accel tcg,thread=multi -cpu qemu64)
	fi
	q+=(-M q35 -smp "$M_CPUS" -m "$M_MEMORY" -nodefaults -no-user-config -display none -no-reboot
		-kernel "$kernel/vmlinuz" -initrd "$initramfs"
		-append "console=ttyS0 loglevel=6 panic=-1 oops=panic rdinit=/init lab.guest=$M_GUEST mitigations=off nokaslr random.trust_cpu=on sysctl.kernel.hung_task_panic=1 $M_APPEND"
		-serial "file:$M_DIR/console.raw" -device virtio-rng-pci -device virtio-serial-pci
		-chardev "file,id=out,path=$M_DIR/output,append=on"
		-device virtserialport,chardev=out,name=lab.out
		-chardev "file,id=status,path=$M_DIR/status"
		-device virtserialport,chardev=status,name=lab.status)
	machine_share run "$M_DIR/run" ''
	machine_share src "$LAB_SRC" ,readonly=on
	machine_share stage "$stage" ,readonly=on
	machine_share modules "$kernel/lib/modules" ,readonly=on
	if [ "$M_GUEST" = system ]; then
		cp --sparse=always "$image" "$M_DIR/disk-root"
		machine_disk "$M_DIR/disk-root"
	else
		machine_share root "$root/tree" ,readonly=on
	fi
	for file in "${M_IMAGES[@]}"; do
		cp --sparse=always "$file" "$M_DIR/disk-image$n"
		machine_disk "$M_DIR/disk-image$n"
	done
	for size in $M_DISKS; do
		truncate -s "${size}M" "$M_DIR/disk-data$n"
		machine_disk "$M_DIR/disk-data$n"
	done

	if [ "$M_LIVE" ]; then
		tail -n +1 -f "$M_DIR/output" &
		showing=$!
	fi
	# A guest that wants a reboot is started again on the same disks.
	while :; do
		: >"$M_DIR/status"
		echo "export LAB_BOOT=$boots" >>"$M_DIR/run/settings"
		left=$((M_TIMEOUT + 120))
		[ -z "${M_COUNTED:-}" ] || left=${M_PATIENCE:-3600}
		# Whoever ends us ends the guest.
		setpriv --pdeathsig KILL timeout -k 10 $left setpriv --pdeathsig KILL \
			qemu-system-x86_64 "${q[@]}" </dev/null >"$M_DIR/qemu.log" 2>&1
		status=$?
		cat "$M_DIR/console.raw" >>"$M_DIR/console"
		[ "$(cat "$M_DIR/status")" = 194 ] && [ $boots -lt "${M_BOOTS:-5}" ] || break
		boots=$((boots + 1))
	done
	rm -f "$M_DIR/console.raw"
	if [ "$showing" ]; then
		sleep 1.2
		kill "$showing"
		wait "$showing" 2>/dev/null
	fi
	machine_judge $status $(($(date +%s) - begin))
}

machine_share() {
	q+=(-fsdev "local,id=$1,path=$2,security_model=none,multidevs=remap$3"
		-device "virtio-9p-pci,fsdev=$1,mount_tag=$1")
}

machine_disk() {
	q+=(-drive "file=$1,if=none,id=d$n,format=raw,cache=unsafe,discard=unmap"
		-device "virtio-blk-pci,drive=d$n,serial=disk$n")
	n=$((n + 1))
}

# What the kernel must not say, whatever the script thinks of it.
MACHINE_ALARMS='BUG: |WARNING: |Oops|general protection fault|Kernel panic|INFO: task .* blocked for more|possible circular locking|possible recursive locking|inconsistent lock state|rcu: INFO: .* detected stall|soft lockup|UBSAN:|KASAN:|refcount_t:|CacheFiles: I/O Error'

# machine_judge QEMUSTATUS SECONDS: the verdict from status, console and output.
machine_judge() {
	local code alarm verdict
	code=$(tr -cd '0-9' <"$M_DIR/status")

	alarm=$(tr -d '\r' <"$M_DIR/console" | grep -E "$MACHINE_ALARMS" |
		{ if [ "$M_EXPECT" ]; then grep -vE "$M_EXPECT"; else cat; fi; } | head -n 1)
	verdict=$(tr -d '\r' <"$M_DIR/console" | sed -n 's/^.*lab: verdict: //p' | tail -n 1)
	if [ -z "$code" ] && [ "$1" = 124 ]; then
		code=124
		machine_verdict "the guest hung and was ended after $2 s${alarm:+; kernel: $alarm}"
	elif [ -z "$code" ]; then
		code=125
		machine_verdict "the guest died after $2 s: ${verdict:-${alarm:-no status came back, see the console}}"
	elif [ "$code" = 124 ] || [ "$code" = 137 ]; then
		code=124
		machine_verdict "the script ran out of its $M_TIMEOUT s; blocked tasks are on the console"
	elif [ "$code" = 77 ]; then
		machine_verdict "skipped: $(tail -n 1 "$M_DIR/output")"
	elif [ "$code" != 0 ]; then
		machine_verdict "failed with status $code: $(grep -a '^FAIL: ' "$M_DIR/output" | tail -n 1)"
	elif [ "$alarm" ]; then
		code=123
		machine_verdict "the script passed, but the kernel said: $alarm"
	else
		machine_verdict "passed in $2 s"
	fi
	return "$code"
}

machine_verdict() {
	printf '%s\n' "$*" >"$M_DIR/verdict"
}
