#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Guest: system
# Disks: 300
# Stock: pass
# Timeout: 2400
# Memory: 2048
#
# A control: 200 at once that use a loop device, under systemd with udev: losetup, mount -o loop of
# ext4 and of squashfs, by turns, and their end a few seconds later. Each ends, no device stays bound, and the module can
# be unloaded. How many the tools themselves gave up is printed: they find a free device and then bind
# it, which others do, too.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
storm=/run/storm
mkfs.ext4 -q -F /dev/vdb && mkdir -p $storm && mount /dev/vdb $storm || exit 2
truncate -s 4M $storm/ext4 && mkfs.ext4 -q -F -O ^has_journal $storm/ext4 || exit 2
# One file, by mksquashfs -all-root -mkfs-time 0 -no-xattrs -noI -noD -noF.
base64 -d <<-END | gunzip >$storm/squashfs || exit 2
	H4sIAAAAAAACA8soLixmYoABJgZGIMnIIMhwmomRgQXIVoDKsDJC6L9Q/n8oSIfyV0Lpq1D6PZROVEjLzEnlcmhgYl
	jCCLMGzoACdrDYW0aEMxC0NBAzA7FEA7puJqA4yHCBhgSEOWDJw1C+AFwPzBt3oTQLWOY7wygYBaNgFIyCUTAKRsEo
	GAWjYBSMglEwIgAACpwR3wAQAAA=
END
systemctl is-active -q systemd-udevd || fail "udev is not running"

# as_device IMAGE, as_mount TYPE IMAGE: use it once, when all may; a word for what did not work.
as_device() {
	local dev

	wait_for 600 test -e $storm/go
	dev=$(losetup -f --show "$1") || { echo given-up && return; }
	sleep 5
	losetup -d "$dev" || echo left
}

as_mount() {
	mkdir -p "$2.d"
	wait_for 600 test -e $storm/go
	mount -t "$1" -o loop "$2" "$2.d" || { echo given-up && return; }
	sleep 5
	umount "$2.d" || echo left
}

for n in $(seq 200); do
	type=ext4
	[ $((n % 3)) != 2 ] || type=squashfs
	cp --sparse=always $storm/$type $storm/image"$n"
	if [ $((n % 3)) = 0 ]; then
		as_device $storm/image"$n"
	else
		as_mount $type $storm/image"$n"
	fi >$storm/said"$n" 2>$storm/errors"$n" &
done
touch $storm/go
wait

bound() {
	find /sys/block/loop*/loop/backing_file 2>/dev/null | wc -l
}
none_bound() {
	[ "$(bound)" = 0 ]
}
# losetup -d of a device that udev has open is done when udev closes it.
udevadm settle -t 300
wait_for 60 none_bound || fail "$(bound) devices are still bound"
left=$(cat $storm/said* | grep -c left)
[ "$left" = 0 ] || fail "$left umounts or detaches failed"
cat $storm/errors* | sed -E "s|/[^ :]*/image[0-9.d]*|IMAGE|g; s|loop[0-9]+|loopN|g" | sort | uniq -c
echo "seen: of 200, given up by the tools $(cat $storm/said* | grep -c given-up), left $left; devices made $(find /sys/block/loop* -maxdepth 0 | wc -l), bound $(bound)"
umount $storm || fail "the images' file system is busy"
unload
kernel_silent
leaks
verdict
