#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# vm.sh BUILD TOOLS MAC WORK [SECONDS]: what a BUILD with `--prefix=/usr --sysconfdir=/etc` installs, in a machine of its own
# under AppArmor, then under SELinux; then the life of the Debian package in a fresh one.  Each has so many SECONDS (1200) at
# most.  TOOLS is a build with tests: the software key is taken from it.  MAC is where tests/mac/fetch.sh unpacked the tools.
# Debian's part of the image is kept in WORK for the next time, ours is always made anew.  As root; 77 where it cannot be.
set -euo pipefail

if [ "$(id -u)" -ne 0 ]; then
	echo "skipped: not root"
	exit 77
fi
PATH=$PATH:/usr/sbin:/sbin
for program in qemu-system-x86_64 mmdebstrap unshare busybox cpio zstd depmod mkfs.ext4 apt-get dpkg-deb dpkg-buildpackage dh make m4; do
	if ! command -v "$program" >/dev/null; then
		echo "skipped: $program is not here"
		exit 77
	fi
done
if ! unshare --mount true 2>/dev/null; then
	echo "skipped: no mount namespace can be made here"
	exit 77
fi
if [ ! -x "$3/root/sbin/setfiles" ]; then
	echo "skipped: tests/mac/fetch.sh could not unpack setfiles"
	exit 77
fi

build=$(cd "$1" && pwd)
tools=$(cd "$2" && pwd)
mac=$(cd "$3" && pwd)
mkdir -p "$4"
work=$(cd "$4" && pwd)
seconds=${5:-1200}
here=$(cd "$(dirname "$0")" && pwd)
selinux=$here/../../selinux

running=
finish() {
	if [ -n "$running" ]; then
		kill "$running" || true
		wait "$running" || true
	fi 2>/dev/null
}
trap finish EXIT
trap 'exit 130' INT TERM HUP

# bounded COMMAND...: it ends where this program is ended.
bounded() {
	local status=0
	"$@" &
	running=$!
	wait "$running" || status=$?
	running=
	return "$status"
}

rm -rf "$work/installed"
meson install -C "$build" --no-rebuild --quiet --destdir "$work/installed" >/dev/null
"$selinux/compile.sh" "$selinux" "$build/selinux/sgwarden.fc" "$mac/root/usr/share/selinux/devel" "$work/installed/sgwarden.pp" \
	"$mac/root/usr"
# the same with one rule less, as guest.sh takes one from AppArmor's
lacking=$work/lacking
rm -rf "$lacking"
mkdir "$lacking" "$work/installed/lacking"
cp "$selinux/sgwarden.if" "$lacking"
grep -vxF 'domain_read_all_domains_state(sgwarden_t)' "$selinux/sgwarden.te" >"$lacking/sgwarden.te"
[ "$(wc -l <"$lacking/sgwarden.te")" -eq $(($(wc -l <"$selinux/sgwarden.te") - 1)) ]
"$selinux/compile.sh" "$lacking" "$build/selinux/sgwarden.fc" "$mac/root/usr/share/selinux/devel" "$work/installed/lacking/sgwarden.pp" \
	"$mac/root/usr"
# what is unpacked in the machine: the stories, and what they take from the other tests
files=$work/files
rm -rf "$files"
mkdir -p "$files/tests"
cp -r "$here" "$here/../live" "$here/../emulator" "$here/../packaging" "$here/../hostile" "$files/tests"
cp "$tools"/tests/softkey/{softkey,uhid_key} "$tools"/tests/hostile/ordered-{front,planner,net,consent,fido,loader} "$files"
# programs of other suites, with the one library that the machine lacks
mkdir "$files/programs"
cp "$tools"/tests/sandbox/{faults,test_sandbox_args} "$tools"/tests/unit/{test_common,test_chain} "$tools/tests/fuzz/test_wire_frame" \
	"$tools"/tests/softkey/{test_softkey,test_ctaphid,test_fido} "$tools/src/fido/sgw-fido" "$files/programs"
cp "$(ldd "$files/programs/test_common" | awk '$1 == "libcmocka.so.0" {print $3}')" "$files/programs"
bounded timeout -k 60 3600 "$here/image.sh" "$work" "$work/installed" "$mac"
cp "$work/lacking.policy" "$files"
bounded /usr/bin/python3 -B "$here/../packaging/debbuild.py" "$files"

proved=0
failed=0
# machine NAME SYSTEM SCRIPT [DISK]
machine() {
	local counted more less
	echo "== $1"
	bounded "$here/run.sh" "$work" "$2" "$files" "$3" "$seconds" "${4:-disk}" >"$work/$1.out" || true
	cat "$work/$1.out"
	# A machine that never came to its last line has failed in one claim more.
	if counted=$(grep -xE '[0-9]+ claims proved, [0-9]+ failed' "$work/$1.out"); then
		read -r more _ _ less _ <<<"$counted"
	else
		echo "FAILED  $1: the machine did not come to its last line within $seconds s"
		more=$(grep -c '^ok  ' "$work/$1.out" || true)
		less=$(($(grep -c '^FAILED  ' "$work/$1.out" || true) + 1))
	fi
	proved=$((proved + more))
	failed=$((failed + less))
}

machine apparmor apparmor tests/vm/guest.sh
machine selinux selinux tests/vm/guest.sh
machine fresh apparmor tests/vm/fresh.sh bare
echo "$proved claims proved, $failed failed"
[ "$failed" -eq 0 ]
