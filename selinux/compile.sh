#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compile.sh SOURCE CONTEXTS DEVEL OUTPUT [BIN]: the module package of the reference policy's headers (DEVEL/include), with the
# programs below BIN where they are not installed.
set -eu

source=$1
contexts=$2
include=$(cd "$3/include" && pwd)
output=$4
bin=$(cd "${5:-/usr}" && pwd)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$source/sgwarden.te" "$source/sgwarden.if" "$work"
cp "$contexts" "$work/sgwarden.fc"
# NAME and TYPE are what /etc/selinux/config says where there is one; Debian and Fedora both build with categories.
make -C "$work" -f "$include/Makefile" HEADERDIR="$include" NAME=sgwarden TYPE=mcs BINDIR="$bin/bin" SBINDIR="$bin/sbin" \
	sgwarden.pp >"$work/said" 2>&1 || {
	cat "$work/said" >&2
	exit 1
}
cp "$work/sgwarden.pp" "$output"
