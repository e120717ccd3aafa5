# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Disks: 600 300
# Timeout: 900
#
# Readers on NFS, unbind and bind, freeze and thaw, remounts and dropped caches, all at once, for
# SOAK seconds (60). Every checksum is right, only the errors that are foreseen come, and the kernel
# is silent.

. "$(dirname "$0")/lib"
end=$(($(date +%s) + ${SOAK:-60}))
going() { [ "$(date +%s)" -lt $end ]; }

cache_mount "${FS:-ext4}"
nfs_serve
for n in $(seq 12); do
	head -c $((n * 40000)) /dev/urandom >/srv/x/file$n
done
(cd /srv/x && sha256sum file*) >/tmp/sums
manager_start || exit 77
expect "bind" 0 "$(cache_bind)"
nfs_mount

workers=()
(while going; do
	(cd /mnt/nfs && sha256sum -c --quiet /tmp/sums) || echo "wrong sum" >>/tmp/wrong
	echo 3 >/proc/sys/vm/drop_caches
	echo read >>/tmp/counted
done) &
workers+=($!)
(while going; do
	"$BIN/freeze" $CACHE >>/tmp/freezes
	"$BIN/freeze" -u $CACHE >>/tmp/thaws
done) &
workers+=($!)
(while going; do
	mount -o remount,ro $CACHE 2>/dev/null
	mount -o remount,rw $CACHE 2>/dev/null
done) &
workers+=($!)

cycles=0
while going; do
	for command in unbind bind; do
		answer=$(ask $command)
		case $answer in
		0 | EAGAIN | EROFS | ENODATA | EBUSY) ;;
		*) echo "$command: $answer" >>/tmp/wrong ;;
		esac
	done
	cycles=$((cycles + 1))
done
wait "${workers[@]}"
echo "cycles $cycles, rounds of reads $(wc -l </tmp/counted), freezes: $(cut -d' ' -f1 /tmp/freezes | sort | uniq -c | paste -sd' ')"
expect "something was done" yes "$([ $cycles -gt 3 ] && [ -s /tmp/counted ] && echo yes || echo no)"
expect "wrong answers or sums" "" "$(sort /tmp/wrong 2>/dev/null | uniq -c | paste -sd' ')"
expect "errors of freeze" "" "$(cut -d' ' -f1 /tmp/freezes | sort -u | grep -vE '^(0|EAGAIN|EBUSY|EROFS)$')"
expect "errors of thaw" "" "$(cut -d' ' -f1 /tmp/thaws | sort -u | grep -vE '^(0|EINVAL)$')"
mount -o remount,rw $CACHE 2>/dev/null
ask unbind >/dev/null
expect "freeze afterwards" 0 "$("$BIN/freeze" $CACHE | cut -d' ' -f1)"
expect "thaw afterwards" 0 "$("$BIN/freeze" -u $CACHE | cut -d' ' -f1)"
quiet
exit $failed
