# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# For cases that take the cache's filesystem away under load: the readers, the guest agent that
# freezes, and whether it caches again. /tmp/sums has the checksums of SERVER's files.

# cache_on_lvm FILESYSTEM: the cache on a logical volume of vda with room for a snapshot. Nobody
# answers for udev here.
cache_on_lvm() {
	mkdir -p /etc/lvm
	echo 'activation { udev_sync=0 udev_rules=0 verify_udev_operations=0 monitoring=0 }' >/etc/lvm/lvm.conf
	pvcreate -qq -ff -y /dev/vda && vgcreate -qq lab /dev/vda &&
		lvcreate -qq -y -Zn -Wn -L 420M -n cache lab || fail "LVM"
	cache_make /dev/lab/cache "$1"
}

# Commands of the guest agent: its answer must not be an error.
agent() {
	python3 - "$1" <<-'END'
		import json, socket, sys
		s = socket.socket(socket.AF_UNIX)
		s.connect("/tmp/qga.sock")
		s.settimeout(120)
		s.sendall(json.dumps({"execute": sys.argv[1]}).encode() + b"\n")
		answer = s.makefile().readline()
		print(answer.strip())
		sys.exit("error" in answer)
	END
}

# Reads the mount again and again, from the cache or the server, but not while there is /tmp/pause;
# an error of a reader ends the case.
load() {
	while [ ! -e /tmp/enough ]; do
		[ ! -e /tmp/pause ] || { sleep 0.1; continue; }
		echo 1 >/proc/sys/vm/drop_caches
		sums $NET >/tmp/sums.load 2>/tmp/load.err && cmp -s /tmp/sums /tmp/sums.load || {
			touch /tmp/load.failed
			break
		}
		echo >>/tmp/load.rounds
		sleep 1.5
	done
}

# Read counters of the cache grow: what is read comes from it.
caches_again() {
	local before

	before=$(kernel_stat IO rd)
	drop_caches
	sums $NET >/tmp/sums.got || fail "reading"
	cmp -s /tmp/sums /tmp/sums.got || fail "checksums differ"
	[ "$(kernel_stat IO rd)" -gt "$before" ]
}
