#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# fetch.sh DIRECTORY: Debian's own tools and policy for AppArmor and SELinux, unpacked there and not installed: installing
# them would load profiles, or make a configuration of SELinux, on the machine of whoever runs the tests.
set -eu

PACKAGES="apparmor checkpolicy policycoreutils python3-networkx python3-setools selinux-policy-default selinux-policy-dev
 selinux-utils semodule-utils"

directory=$1
[ -f "$directory/complete" ] && exit 0
rm -rf "$directory"
mkdir -p "$directory/packages" "$directory/root"
cd "$directory/packages"
# shellcheck disable=SC2086  # a list of names
apt-get -o APT::Sandbox::User=root -qq download $PACKAGES
for package in *.deb; do
	dpkg-deb -x "$package" ../root
done
cd ..
rm -r packages
touch complete
