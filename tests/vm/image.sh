#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# image.sh OUTPUT INSTALLED MAC: a Debian 12 of the sources that apt has on this machine, with systemd, AppArmor, SELinux, its own
# kernel, and on top of it the tree INSTALLED (what `meson install` put below a DESTDIR).  OUTPUT gets disk, bare (the same with
# nothing of ours, and without SELinux's labels), kernel, initrd and lacking.policy (the one with INSTALLED's lacking/sgwarden.pp),
# and keeps Debian's part, base.tar, for as long as it is to be made of the same.  MAC is where tests/mac/fetch.sh unpacked setfiles.
# One disk serves AppArmor and SELinux: the kernel's command line says which.  As root; 77 where Debian's packages cannot be had.
set -euo pipefail

# What is mounted below the new tree is mounted for this program alone, and gone with it.
if [ -z "${SGW_IMAGE_MOUNTS:-}" ]; then
	SGW_IMAGE_MOUNTS=own exec unshare --mount --propagation private "$0" "$@"
fi

output=$1
installed=$(cd "$2" && pwd)
mac=$(cd "$3/root" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
PATH=$PATH:/usr/sbin:/sbin

PACKAGES=systemd-sysv,udev,kmod,dbus,libpam-systemd,procps,iproute2,util-linux,apparmor,apparmor-utils,auditd,python3,python3-botocore
PACKAGES+=,selinux-policy-default,policycoreutils,selinux-utils
PACKAGES+=,libseccomp2,libcap-ng0,libcurl4,libexpat1,libcjson1,libfido2-1,libssl3,ca-certificates
# What the guest's kernel is left with beside what is built in.
MODULES="kernel/arch kernel/crypto kernel/lib kernel/fs/ext4 kernel/fs/jbd2 kernel/fs/mbcache.ko kernel/fs/autofs kernel/drivers/virtio
 kernel/drivers/block/virtio_blk.ko kernel/drivers/hid kernel/drivers/input/misc/uinput.ko kernel/drivers/char/hw_random
 kernel/net/packet kernel/net/unix"
DISK_MODULES="virtio_pci virtio_blk crc32c_generic ext4"

mkdir -p "$output"
output=$(cd "$output" && pwd)
work=$(mktemp -d "$output/work.XXXXXX")
root=$work/root
unmade=
finish() {
	local status=$?
	rm -rf --one-file-system "$work"
	if [ "$status" -ne 0 ] && [ -n "$unmade" ]; then
		echo "skipped: $unmade"
		exit 77
	fi
}
trap finish EXIT

say() {
	printf '%4d s  %s\n' "$SECONDS" "$*" >&2
}

packages() {
	local sources options=()
	mapfile -t sources < <(grep -lsw bookworm /etc/apt/sources.list /etc/apt/sources.list.d/*.list /etc/apt/sources.list.d/*.sources)
	# how this machine reaches its sources
	while read -r line; do
		options+=("--aptopt=$line")
	done < <(apt-config dump | grep -E '^Acquire::(http|https|Check)[^ ]* "[^"]+";')
	mmdebstrap --quiet --mode=root --variant=apt --include="$PACKAGES" "${options[@]}" --aptopt='APT::Install-Recommends "false"' \
		--dpkgopt=force-unsafe-io --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
		--dpkgopt='path-exclude=/usr/share/locale/*' bookworm "$root" "${sources[@]}"
}

kernel() {
	local package version module
	package=$(apt-cache depends linux-image-amd64 | sed -n 's/.*Depends: \(linux-image-.*\)/\1/p' | head -n 1)
	mkdir "$work/kernel"
	(cd "$work/kernel" && apt-get -o APT::Sandbox::User=root -qq download "$package" && dpkg-deb -x ./*.deb .)
	version=$(basename "$work"/kernel/lib/modules/*)
	mkdir -p "$root/usr/lib/modules/$version"
	cp "$work/kernel/lib/modules/$version"/modules.* "$root/usr/lib/modules/$version"
	for module in $MODULES; do
		[ -e "$work/kernel/lib/modules/$version/$module" ] || continue
		mkdir -p "$root/usr/lib/modules/$version/$(dirname "$module")"
		cp -r "$work/kernel/lib/modules/$version/$module" "$root/usr/lib/modules/$version/$module"
	done
	depmod -b "$root" "$version"
	cp "$work"/kernel/boot/vmlinuz-* "$output/kernel"
	echo "$version" >"$work/version"
}

product() {
	cp -a "$installed/." "$root"
	# whatever is denied, the log stays one file
	sed -i 's/^max_log_file = .*/max_log_file = 512/' "$root/etc/audit/auditd.conf"
	chroot "$root" systemd-sysusers
}

# disk NAME: the tree as it is now
disk() {
	rm -f "$output/$1"
	truncate -s 2G "$work/$1"
	mkfs.ext4 -q -F -m 0 -I 256 -d "$root" "$work/$1"
	mv "$work/$1" "$output/$1"
	say "$1: $(du -h "$output/$1" | cut -f1)"
}

settings() {
	echo sgwarden-vm >"$root/etc/hostname"
	: >"$root/etc/fstab"
	: >"$root/etc/machine-id"
	sed -i 's/^SELINUX=.*/SELINUX=enforcing/' "$root/etc/selinux/config"
	mkdir -p "$root/etc/systemd/system/multi-user.target.wants"
	ln -sf ../guest.service "$root/etc/systemd/system/multi-user.target.wants/guest.service"
	ln -sf /usr/lib/systemd/system/multi-user.target "$root/etc/systemd/system/default.target"
	for unit in getty@tty1.service serial-getty@ttyS0.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
		e2scrub_all.timer e2scrub_reap.service fstrim.timer selinux-autorelabel.service selinux-autorelabel-mark.service; do
		ln -sf /dev/null "$root/etc/systemd/system/$unit"
	done
}

# The module is linked, and every file labelled, here: in the guest it would take minutes.
labels() {
	local policy=$root/etc/selinux/default
	if [ -e "$installed/sgwarden.pp" ]; then
		chroot "$root" semodule -n -i /lacking/sgwarden.pp
		cp "$policy"/policy/policy.* "$output/lacking.policy"
		chroot "$root" semodule -n -i /sgwarden.pp
		rm -r "$root"/{lacking,sgwarden.pp}
	fi
	"$mac/sbin/setfiles" -F -r "$root" "$policy/contexts/files/file_contexts" "$root" 2>"$output/labels.log"
}

initrd() {
	local version module file
	version=$(cat "$work/version")
	mkdir -p "$work"/initrd/{bin,modules,dev,proc,sys,new}
	cp "$(command -v busybox)" "$work/initrd/bin/busybox"
	for module in $DISK_MODULES; do
		modprobe -d "$root" -S "$version" --show-depends "$module"
	done | awk '$1 == "insmod" && !seen[$2]++ {print $2}' >"$work/order"
	while read -r file; do
		cp "$file" "$work/initrd/modules"
		basename "$file" >>"$work/initrd/modules/order"
	done <"$work/order"
	cat >"$work/initrd/init" <<'EOF'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t devtmpfs none /dev
while read -r module; do $b insmod "/modules/$module"; done </modules/order
until [ -b /dev/vda ]; do $b usleep 50000; done
$b mount -t ext4 /dev/vda /new
$b mount -o move /dev /new/dev
exec $b switch_root /new /sbin/init
EOF
	chmod 755 "$work/initrd/init"
	(cd "$work/initrd" && find . | cpio -o -H newc --quiet | zstd -q -3) >"$output/initrd"
}

# Debian's part, without anything of ours
base() {
	unmade="the packages of a Debian 12 cannot be had from this machine's sources"
	packages
	say "packages"
	kernel
	unmade=
	say "kernel $(cat "$work/version")"
	settings
	initrd
	rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/*
	tar -C "$root" --one-file-system --numeric-owner -cf "$work/base.tar" .
	mv "$work/base.tar" "$output/base.tar"
	echo "$list" >"$output/base.list"
}

list="$PACKAGES $MODULES $DISK_MODULES"
if [ -e "$output/base.tar" ] && [ "$(cat "$output/base.list" 2>/dev/null)" = "$list" ]; then
	mkdir "$root"
	tar -C "$root" --numeric-owner -xpf "$output/base.tar"
else
	base
fi
say "Debian's part"
cp "$here/guest.service" "$root/etc/systemd/system/guest.service"
disk bare
product
labels
say "labels"
disk disk
