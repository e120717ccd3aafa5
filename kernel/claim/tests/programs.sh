# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 800
# Timeout: 900
# Together: patched
# Variants: ext4 xfs btrfs
#
# The programs that freeze: fsfreeze, xfs_freeze, dmsetup suspend, lvcreate -s, qemu's guest agent.
# With a holder that yields each succeeds at the first call; refused, each says so and the filesystem
# is as it was.

. "$(dirname "$0")/lib"

export LVM_SUPPRESS_FD_WARNINGS=1 DM_DISABLE_UDEV=1
LVM=(--config 'activation { udev_sync=0 udev_rules=0 verify_udev_operations=0 monitoring=0 }')
SOCKET=/run/qga.sock

do_fsfreeze() { fsfreeze -f $CACHE; }
undo_fsfreeze() { fsfreeze -u $CACHE; }
do_xfs_freeze() { xfs_freeze -f $CACHE; }
undo_xfs_freeze() { xfs_freeze -u $CACHE; }
do_dmsetup() { dmsetup suspend vg-cache; }
undo_dmsetup() { dmsetup resume vg-cache; }
do_lvcreate() { lvcreate "${LVM[@]}" -q -y -s -L 40M -n "snap$1" vg/cache; }
undo_lvcreate() { lvremove "${LVM[@]}" -q -f "vg/snap$1"; }
do_agent() { [ "$(/usr/bin/python3 "$(dirname "$0")/qga.py" $SOCKET guest-fsfreeze-freeze | tee /tmp/answer)" = 1 ]; }
undo_agent() { /usr/bin/python3 "$(dirname "$0")/qga.py" $SOCKET guest-fsfreeze-thaw; }

# run PROGRAM NUMBER: prints its status; what it said and how long it took are in /tmp.
run() {
	local begin=$EPOCHREALTIME status

	: >/tmp/answer
	"do_$1" "$2" >/tmp/said 2>&1
	status=$?
	cat /tmp/answer >>/tmp/said
	echo $(((${EPOCHREALTIME/./} - ${begin/./}) / 1000)) >/tmp/ms
	sed "s/^/$1: /" /tmp/said >&2
	echo $status
}

live() { dmsetup info vg-cache | grep -q 'State: *ACTIVE' && touch $CACHE/touched; }

mkfs_quietly ext4 "$DISK"
pvcreate "${LVM[@]}" -q -ff -y "$DISK" >/dev/null && vgcreate "${LVM[@]}" -q vg "$DISK" >/dev/null &&
	lvcreate "${LVM[@]}" -q -y -Wn -Zn -L 520M -n cache vg >/dev/null || exit 77
cache_mount "$FS" /dev/mapper/vg-cache
qemu-ga -m unix-listen -p $SOCKET -t /run >/tmp/qga.log 2>&1 &
wait_for 30 test -S $SOCKET || exit 77
manager_start || exit 77

# Yielding.
expect "bind" 0 "$(cache_bind 5000)"
expect "unbind" 0 "$(ask unbind)"
[ "$failed" = 0 ] || verdict
for program in fsfreeze xfs_freeze dmsetup lvcreate agent; do
	expect "bind" 0 "$(ask bind)"
	ask '?yielder' >/dev/null
	expect "$program, the holder yields" 0 "$(run $program yielded)"
	seen "$program: after $(cat /tmp/ms) ms"
	expect "$program: wclaim" 0 "$(key wclaim)"
	case $program in
	lvcreate) expect "the snapshot" yes "$(yesno lvs "${LVM[@]}" vg/snapyielded)" ;;
	dmsetup) expect "$program: suspended" yes "$(yesno sh -c 'dmsetup info vg-cache | grep -q SUSPENDED')" ;;
	*) expect "$program: frozen" EBUSY "$(freeze $CACHE)" ;;
	esac
	undo_$program yielded >/tmp/said 2>&1
	expect "$program: undone" 0 $?
done
# Refused. LVM is the last: it cannot take back by itself what it had begun, and says so.
expect "yield 0" 0 "$(ask yield 0)"
expect "bind" 0 "$(ask bind)"
refused=$((0x$(key frzref)))
for program in fsfreeze xfs_freeze dmsetup agent lvcreate; do
	status=$(run $program refused)
	refused=$((refused + 1))
	[ "$status" = 0 ] && { undo_$program refused >/dev/null 2>&1; freeze -u $CACHE >/dev/null; }
	expect "$program, refused" failed "$([ "$status" = 0 ] && echo succeeded || echo failed)"
	seen "$program: status $status after $(cat /tmp/ms) ms"
	expect "$program: its reason" yes "$(yesno grep -qi 'temporarily unavailable\|failed to freeze\|failed to suspend\|Failed to lock' /tmp/said)"
	expect "$program: frzref" $refused "$((0x$(key frzref | grep . || echo 0)))"
	expect "$program: all is as it was" yes "$(yesno live)"
done
seen "volumes then: $(lvs "${LVM[@]}" --noheadings -o name vg | xargs)"
quiet
verdict
