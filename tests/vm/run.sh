#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh IMAGE apparmor|selinux FILES SCRIPT SECONDS [DISK]: boots a copy of the image's DISK that is thrown away, with that
# system enforcing, unpacks FILES (a folder) at /run/sgw in it, runs the SCRIPT of them as root and prints what it says.  On the
# disk "bare" the script may have the machine start again, and is run again.  Without KVM the processor is emulated.
set -euo pipefail

image=$1
system=$2
files=$3
script=$4
seconds=$5
disk=${6:-disk}

work=$(mktemp -d)
vm=
finish() {
	# timeout(1) passes the signal on to qemu.
	if [ -n "$vm" ]; then
		kill "$vm" || true
		wait "$vm" || true
	fi 2>/dev/null
	rm -rf "$work"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
echo "exec /bin/bash /run/sgw/$script" >"$work/start"
tar --owner=0 --group=0 -C "$files" -cf "$work/files" .
tar --owner=0 --group=0 -C "$work" -rf "$work/files" start
truncate -s %4096 "$work/files"
case $system in
apparmor) kernel="apparmor=1 security=apparmor" ;;
selinux) kernel="security=selinux selinux=1 enforcing=1" ;;
*) exit 2 ;;
esac
again=(-no-reboot)
[ "$disk" = bare ] && again=()
if [ -w /dev/kvm ] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
	machine=(-accel kvm -cpu host)
else
	machine=(-accel tcg,thread=multi -cpu max,la57=off)
	# Beside others' work the kernel takes the emulated processor's counter for slower than it is, and time runs away.
	kernel+=" clocksource=hpet"
fi
timeout -k 5 "$seconds" qemu-system-x86_64 "${machine[@]}" -M q35 -smp 2 -m 1536 -nodefaults -display none "${again[@]}" -nic none \
	-kernel "$image/kernel" -initrd "$image/initrd" \
	-append "console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=reliable no_timer_check audit=1 systemd.show_status=0 $kernel" \
	-drive "file=$image/$disk,format=raw,if=virtio,snapshot=on,cache=unsafe" \
	-drive "file=$work/files,format=raw,if=virtio,readonly=on" \
	-device virtio-rng-pci -serial "file:$work/console" </dev/null >&2 &
vm=$!
status=0
wait "$vm" || status=$?
vm=
tr -d '\r' <"$work/console"
exit "$status"
