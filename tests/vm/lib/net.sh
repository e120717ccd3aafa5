# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# Servers in the guest itself and mounts of them over the loopback with caching, and what came over
# the network: NFS by the mount's own counters, 9p by the bytes of the loopback device.

SERVER=/srv/data
NET=/mnt/net

# nfs_server: exports SERVER. Without systemd; there `systemctl start nfs-server` does it.
nfs_server() {
	echo "$SERVER 127.0.0.1(rw,no_root_squash,no_subtree_check,insecure,fsid=0)" >/etc/exports
	mount -t tmpfs nfs /var/lib/nfs || return 1
	mkdir -p /var/lib/nfs/{rpc_pipefs,v4recovery,sm,sm.bak,nfsdcltrack}
	touch /var/lib/nfs/{etab,rmtab}
	modprobe -q sunrpc
	modprobe -q nfsd
	mount -t rpc_pipefs pipe /var/lib/nfs/rpc_pipefs
	mount -t nfsd nfsd /proc/fs/nfsd
	rpcbind -w || return 1
	echo 10 >/proc/fs/nfsd/nfsv4gracetime
	echo 10 >/proc/fs/nfsd/nfsv4leasetime
	exportfs -ar && rpc.mountd && rpc.nfsd 4 || return 1
	echo Y >/proc/fs/nfsd/v4_end_grace 2>/dev/null
	return 0
}

# p9_server: the same over 9p.
p9_server() {
	modprobe -q 9pnet_fd
	diod --foreground --no-auth --export "$SERVER" --listen 127.0.0.1:5640 --nwthreads 4 \
		--logdest stderr >/tmp/diod.log 2>&1 &
	wait_for 60 "diod listens" grep -q ':1608 00000000:0000 0A' /proc/net/tcp
}

# net_server nfs3|nfs4.2|9p: makes what serves SERVER, which is there.
net_server() {
	case $1 in
	nfs*) nfs_server || fail "the NFS server does not start" ;;
	9p) p9_server ;;
	*) fail "no transport $1" ;;
	esac
}

# net_mount nfs3|nfs4.2|9p [OPTIONS]: mounts it at NET with caching.
net_mount() {
	local kind=$1 more=${2:+,$2}

	mkdir -p "$NET"
	case $kind in
	nfs3) mount -t nfs -o "vers=3,nolock,proto=tcp,fsc$more" "127.0.0.1:$SERVER" "$NET" ;;
	nfs4*) mount -t nfs -o "vers=${kind#nfs},fsc$more" 127.0.0.1:/ "$NET" ;;
	# diod tells no versions of files; without ignoreqv 6.12 does not cache such.
	9p) mount -t 9p -o "trans=tcp,port=5640,version=9p2000.L,msize=262144,uname=root,aname=$SERVER,access=client,cache=fscache,cachetag=lab,ignoreqv$more" 127.0.0.1 "$NET" ;;
	esac || fail "mount of $kind"
}

net_umount() {
	wait_for 60 "$NET can be unmounted" umount "$NET"
}

# Bytes that reading files brought over the network since the mount (9p: since the boot, and with
# all that goes with it).
net_received() {
	case $1 in
	nfs*)
		awk -v at="$NET" '$1 == "device" { here = $5 == at }
			here && ($1 == "READ:" || $1 == "READ_PLUS:") { sum += $6 }
			END { print sum + 0 }' /proc/self/mountstats
		;;
	9p) awk -F'[: ]+' '$2 == "lo" { print $3 }' /proc/net/dev ;;
	esac
}

# net_files DIR FIRST LAST KIB: makes files fFIRST..fLAST of that size below SERVER/DIR, each with
# bytes of its own.
net_files() {
	python3 - "$SERVER/$1" "$2" "$3" "$4" <<-'END'
		import os, random, sys
		path, first, last, size = sys.argv[1], *map(int, sys.argv[2:])
		os.makedirs(path, exist_ok=True)
		block = random.Random(1).randbytes(65536)
		for n in range(first, last + 1):
		    with open(f"{path}/f{n:05d}", "wb") as f:
		        for k in range(size // 64):
		            f.write(b"%010d%06d" % (n, k) + block[16:])
	END
}

# sums DIR: checksums of all files below it, by name.
sums() {
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 cksum)
}
