#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Variants: ext4 xfs btrfs
# Disks: 2000
# Stock: pass
# Together: patched stock
# Timeout: 3600
#
# A control, which a rundown in a workqueue alone fails: file systems on loop devices, three deep,
# unmounted from the inside out without a pause, 500 times.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
program umount_chain /dev/vda "$2" "${ROUNDS:-500}"
unload
kernel_silent
verdict
