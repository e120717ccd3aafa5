#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 300
# Stock: pass
# Together: patched stock
# Timeout: 1200
#
# A control, which a rundown in a workqueue alone fails: when a close, an umount or the death of a task
# is over, so is the rundown, and the file system of the image can be unmounted. A kernel thread that
# closes last only promises that it comes to it.

# shellcheck source=/dev/null
. "$(dirname "$0")/lib.bash"
mkfs.ext4 -q -F /dev/vda && mkdir -p /tmp/outer && mount /dev/vda /tmp/outer || exit 2
program loop_last killed /tmp/outer 100
program loop_last overlay /tmp/outer 50
program loop_last kthread /tmp/outer 100
program loop_last kthread-overlay /tmp/outer 50
umount /tmp/outer
case $1 in
*-6.1 | *-6.1-*) program loop_test reuse 500 ;;
esac
kernel_silent
verdict
