# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 900
# Memory: 2048
# Soak: yes
#
# For SECS seconds (120) all at once: readers with checksums on NFS and 9p, fio with its own, files
# that change, freeze and thaw, unbind and bind, remounts, culling, dropped caches. Every sum is
# right, only errors that are foreseen come, and the kernel is silent.
#
# Files of 9p change before the first bind only: a server without versions (diod) leaves 9p nothing
# to tell a copy by that was made before a write which no cache was there to take. That is so
# whenever there was no cache for a while, on stock kernels too; see the cover letter.

. "$(dirname "$0")/lib"
[ "$FS" != soak ] || FS=ext4
SECS=${SECS:-120}
going() { [ $SECONDS -lt $end ]; }
# say_wrong TEXT; count NAME
say_wrong() { echo "$*" >>/tmp/claim.wrong; }
count() { echo "$1" >>/tmp/claim.counted; }

# verified DIR NAME MODE: fio on a file there, each block with its sum.
verified() {
	fio --name=load --directory="$1" --filename=fio --size=2m --bs=16k --rw="$3" \
		--verify=crc32c --do_verify=1 --verify_fatal=1 --fsync_on_close=1 \
		--output=/tmp/claim.fio."$2"
}

cache_mount "$FS"
nfs_serve
for n in $(seq 12); do
	head -c $((n * 40000)) /dev/urandom >/srv/x/file"$n"
done
(cd /srv/x && sha256sum file*) >/tmp/claim.sums
mkdir /srv/x/nfs /srv/x/9p
verified /srv/x/9p server write || fail "fio on the server"
manager_start || exit 77
expect "bind" 0 "$(cache_bind 0)"
[ "$(ask unbind)" = 0 ] && expect "bind again" 0 "$(ask bind)"
nfs_mount
p9_serve
p9_mount

# Errors of the network filesystem itself would be wrong as well: nothing here makes any.
read_sums() {
	while going; do
		(cd "$1" && sha256sum -c --quiet /tmp/claim.sums) >>/tmp/claim.wrong 2>&1
		count "reads of $1"
	done
}
# change DIR: a file that is written anew and read again, by the mount and by the server.
change() {
	local n=0 wanted
	while going; do
		n=$((n + 1))
		head -c $((RANDOM * 8 + 1)) /dev/urandom >/tmp/claim.new."${1##*/}"
		wanted=$(sha256sum </tmp/claim.new."${1##*/}")
		cp /tmp/claim.new."${1##*/}" "$1/${1##*/}/changing"
		sync "$1/${1##*/}/changing"
		[ "$wanted" = "$(sha256sum <"$1/${1##*/}/changing")" ] || say_wrong "changed file of $1, at once"
		sleep 0.5
		[ "$wanted" = "$(sha256sum <"/srv/x/${1##*/}/changing")" ] || say_wrong "changed file of $1, server"
		[ "$wanted" = "$(sha256sum <"$1/${1##*/}/changing")" ] || say_wrong "changed file of $1, later"
		count "changes on $1"
	done
}
load() {
	local where=${1##*/}
	while going; do
		verified "$1/$where" "$where" "$2" ||
			say_wrong "fio on $1: $(grep -m 3 -E 'verify|error' /tmp/claim.fio."$where")"
		count "fio on $1"
	done
}
freezes() {
	while going; do
		"$BIN/freeze" $CACHE >>/tmp/claim.freezes
		"$BIN/freeze" -u $CACHE >>/tmp/claim.thaws
		sleep 0.1
	done
}
remounts() {
	while going; do
		mount -o remount,ro $CACHE 2>/dev/null && count "remounts"
		mount -o remount,rw $CACHE 2>/dev/null
		sleep 0.3
	done
}
drops() {
	while going; do
		sleep 3
		echo 3 >/proc/sys/vm/drop_caches
	done
}

end=$((SECONDS + SECS))
workers=()
for work in "read_sums /mnt/nfs" "read_sums /mnt/9p" "change /mnt/nfs" \
	"load /mnt/nfs randrw" "load /mnt/9p randread" freezes remounts drops; do
	$work &
	workers+=($!)
done
cycles=0
while going; do
	sleep $((RANDOM % 4)).$((RANDOM % 10))
	ask '?cull' >>/tmp/claim.culls
	for command in unbind bind; do
		answer=$(ask $command)
		case $answer in
		0 | EAGAIN | EROFS | ENODATA | EBUSY) ;;
		*) say_wrong "$command: $answer" ;;
		esac
	done
	cycles=$((cycles + 1))
done
wait "${workers[@]}"
seen "$SECS s, $cycles times bound"
sort /tmp/claim.counted | uniq -c | sed 's/^ */seen: /'
seen "freezes: $(cut -d' ' -f1 /tmp/claim.freezes | sort | uniq -c | tr -s ' ' | paste -sd,)"
seen "culls: $(tr ' ' '\n' </tmp/claim.culls | awk '/^[A-Z0]/ && !/^[1-9]/ { name = $1; getline; n[name] += $1 } END { for (name in n) printf "%s %d, ", name, n[name] }')"
expect "wrong" "" "$(sort /tmp/claim.wrong 2>/dev/null | uniq -c | head -n 5 | paste -sd' ')"
for work in "reads of /mnt/nfs" "reads of /mnt/9p" "changes on /mnt/nfs" "fio on /mnt/nfs" "fio on /mnt/9p"; do
	grep -q "$work" /tmp/claim.counted || fail "no $work"
done
[ $cycles -gt 3 ] || fail "bound only $cycles times"
expect "unforeseen errors of freeze" "" "$(cut -d' ' -f1 /tmp/claim.freezes | sort -u | grep -vE '^(0|EAGAIN|EBUSY)$')"
expect "unforeseen errors of thaw" "" "$(cut -d' ' -f1 /tmp/claim.thaws | sort -u | grep -vE '^(0|EINVAL)$')"
mount -o remount,rw $CACHE 2>/dev/null
ask bind >/dev/null
expect "cached at the end" yes "$(from_cache /mnt/nfs/file3)"
expect "unbind at the end" 0 "$(ask unbind)"
expect "freeze at the end" 0 "$(freeze $CACHE)"
expect "thaw at the end" 0 "$(freeze -u $CACHE)"
umount /mnt/nfs /mnt/9p $CACHE
expect "umount at the end" 0 $?
quiet
verdict
