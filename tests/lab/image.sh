# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
#
# What guests are made of: Debian's tree (mmdebstrap), the same as a disk for guests with systemd,
# and the initramfs that carries a kernel's modules for reaching them.

# Loaded in this order, with what they depend on, before the root is mounted.
INITRAMFS_MODULES="virtio_pci virtio_blk virtio_console virtio_rng 9pnet_virtio 9p overlay ext4"

# guest_root: prints the directory of the tree. Any change of Debian's package lists makes a new one.
guest_root() {
	local key

	apt_lists || return 1
	key=$({
		apt_targets | cut -d' ' -f4 | xargs cat
		packages_for guest
		declare -f guest_root_make
	} | hash_of)
	cached root "$key" guest_root_make
}

guest_root_make() {
	local dir=$1/tree name options=() unit

	apt_targets | sort -u | awk '{ print "deb", $3, $1, $2 }' >"$1/sources"
	while read -r line; do
		options+=(--aptopt="$line")
	done < <(apt-config dump | grep -iE '^Acquire::(http|https|ftp)::proxy')
	mmdebstrap --mode=root --variant=minbase --components=main "${options[@]}" \
		--aptopt='APT::Sandbox::User "root"' --aptopt='Acquire::Retries "3"' \
		--aptopt='APT::Install-Recommends "false"' \
		--dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' \
		--include="$(packages_for guest | paste -sd,)" \
		bookworm "$dir" - <"$1/sources" || return 1
	rm -rf "$dir"/var/cache/apt "$dir"/var/lib/apt/lists "$dir"/usr/share/perl* "${dir:?}"/boot/*
	mkdir -p "$dir"/lab/{run,src,stage} "$dir"/lib/modules "$dir"/var/lib/apt/lists/partial

	# A machine that has been set up: a first boot would enable every unit.
	echo 0123456789abcdef0123456789abcdef >"$dir/etc/machine-id"
	echo guest >"$dir/etc/hostname"
	printf '127.0.0.1 localhost guest\n' >"$dir/etc/hosts"
	: >"$dir/etc/fstab"
	for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer \
		e2scrub_reap.service fstrim.timer man-db.timer diod.service getty.target \
		serial-getty@ttyS0.service systemd-networkd-wait-online.service \
		systemd-random-seed.service; do
		ln -sf /dev/null "$dir/etc/systemd/system/$unit"
	done
	cat >"$dir/etc/systemd/system/lab.target" <<-END
		[Unit]
		Description=The lab's script, when all is up
		Requires=multi-user.target
		After=multi-user.target
		Wants=lab.service
		AllowIsolate=yes
	END
	cat >"$dir/etc/systemd/system/lab.service" <<-END
		[Unit]
		Description=The lab's script
		After=multi-user.target
		[Service]
		Type=exec
		Environment=HOME=/root LC_ALL=C.UTF-8
		ExecStart=/bin/bash /lab/src/tests/lab/guest-run
		StandardOutput=journal+console
		KillMode=process
	END
	mkdir -p "$dir/etc/nfs.conf.d"
	printf "[nfsd]\ngrace-time=10\nlease-time=10\n" >"$dir/etc/nfs.conf.d/lab.conf"
	ln -sf /etc/systemd/system/lab.target "$dir/etc/systemd/system/default.target"
}

# guest_disk: prints the path of the tree as an ext4 image.
guest_disk() {
	local root key dir

	root=$(guest_root) || return 1
	key=$(printf '%s' "$root $(declare -f guest_disk_make)" | hash_of)
	dir=$(cached disk "$key" guest_disk_make "$root/tree") || return 1
	printf '%s\n' "$dir/root.img"
}

guest_disk_make() {
	truncate -s 1500M "$2/root.img"
	mkfs.ext4 -q -F -L root -E lazy_itable_init=1 -d "$1" "$2/root.img"
}

# guest_initramfs KERNELDIR: prints the path of the initramfs for that kernel.
guest_initramfs() {
	local key dir

	key=$({
		echo "$1 $INITRAMFS_MODULES"
		declare -f guest_initramfs_make
		cat "$LAB_SRC/tests/lab/init"
		sha256sum </bin/busybox
	} | hash_of)
	dir=$(cached initramfs "$key" guest_initramfs_make "$1") || return 1
	printf '%s\n' "$dir/initramfs.gz"
}

guest_initramfs_make() {
	local kernel=$1 dir=$2/tree release word path name
	release=$(cat "$kernel/release")

	mkdir -p "$dir"/{bin,modules}
	cp /bin/busybox "$dir/bin/busybox"
	install -m 755 "$LAB_SRC/tests/lab/init" "$dir/init"
	: >"$dir/modules/order"
	for name in $INITRAMFS_MODULES; do
		while read -r word path _; do
			[ "$word" = insmod ] || continue
			name=$(basename "$path")
			name=${name%.xz}
			[ ! -e "$dir/modules/$name" ] || continue
			case $path in
			*.xz) xz -dc "$path" >"$dir/modules/$name" ;;
			*) cp "$path" "$dir/modules/$name" ;;
			esac || return 1
			echo "$name" >>"$dir/modules/order"
		done < <(modprobe -d "$kernel" -S "$release" --show-depends "$name" || echo "failed $name" >&2)
	done
	(cd "$dir" && find . | cpio -o -H newc --quiet | gzip -1) >"$2/initramfs.gz" || return 1
	rm -rf "$dir"
}
