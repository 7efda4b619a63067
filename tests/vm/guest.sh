#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In the machine, as root: the installed daemon under whichever of AppArmor and SELinux the kernel enforces.  Each process is
# in its own profile or domain, the good path meets no denial, and each attack meets the one that is meant for it.  The last line counts.
export HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin TERM=dumb
PROVED=0
FAILED=0
AUDIT=/var/log/audit/audit.log
HERE=$(dirname "$0")

# claim WHAT COMMAND...
claim() {
	if "${@:2}"; then
		PROVED=$((PROVED + 1))
		echo "ok      $1"
	else
		FAILED=$((FAILED + 1))
		echo "FAILED  $1"
	fi
}

# story FILE: claims that are told line by line
story() {
	local more less status since=$SECONDS
	/usr/bin/python3 -B "$HERE/$1" 2>&1 | tee /run/story
	status=${PIPESTATUS[0]}
	more=$(grep -c '^ok  ' /run/story)
	less=$(grep -c '^FAILED  ' /run/story)
	[ "$status" -eq 0 ] || less=$((less > 0 ? less : 1)) # it may have ended for another reason than a claim
	PROVED=$((PROVED + more))
	FAILED=$((FAILED + less))
	echo "        $1 took $((SECONDS - since)) s"
}

denials() {
	grep -hE 'avc: .*scontext=[^ ]*sgwarden_|DENIED.*profile="sgw' "$AUDIT" | sed 's/.*\(avc: \|apparmor=\)/\1/'
}

none() {
	[ -z "$("$@" | tee /dev/stderr)" ]
}

# asked: what a start, a client's question and a stop are denied.
asked() {
	local before
	before=$(denials | wc -l)
	systemctl start sgwarden.service
	sgwarden health
	systemctl stop sgwarden.service 'sgwarden*.socket'
	settled
	denials | tail -n +$((before + 1)) >&3
} 3>&1 >/dev/null 2>&1

# finds PATTERN: `none` says no, and of this denial.
finds() {
	local said
	said=$(none asked 2>&1) && return 1
	grep -qE "$1" <<<"$said"
}

# ran PROGRAM LABEL: did it start so, and never otherwise?
ran() {
	[ "$(grep -E "^type=SYSCALL .* comm=\"$1\" .*key=\"ours\"" "$AUDIT" | grep -oE ' subj=[^ ]+' | sort -u)" = " subj=$2" ]
}

# settled: is everything in the log that happened until now?  A record of our own comes after it.
settled() {
	local mark=sgwarden-$SECONDS-$RANDOM
	auditctl -m "$mark" >/dev/null 2>&1
	for _ in $(seq 1500); do
		grep -q "$mark" "$AUDIT" && return
		sleep 0.2
	done
	return 1
}

# An emulated processor beside others' work is slower than any unit's limit foresees.
for unit in sgwarden sgwarden-net@ sgwarden-consent@; do
	mkdir -p "/etc/systemd/system/$unit.service.d"
	printf '[Service]\nTimeoutStartSec=infinity\nWatchdogSec=0\n' >"/etc/systemd/system/$unit.service.d/slow.conf"
done
systemctl daemon-reload

system=apparmor
[ "$(getenforce)" = Enforcing ] && system=selinux
echo "$(uname -r), $system, after $(cut -d. -f1 /proc/uptime) s"

systemd-tmpfiles --create sgwarden.conf
# every start of a program of ours, with the profile or domain that it is in then: it cannot leave that any more
for program in /usr/sbin/sgwardend /usr/libexec/sgwarden /usr/bin/sgwarden; do
	auditctl -w $program -p x -k ours
done
story mainjob.py
claim "it starts again" systemctl restart sgwarden.service
# Whoever connects starts it anew, as the screen's unit does.
systemctl stop 'sgwarden-consent@*.service'
claim "it stops" systemctl stop sgwarden.service
systemctl stop 'sgwarden*.socket'
claim "the log is complete" settled
for name in sgwardend sgw-front sgw-planner sgw-broker sgw-net sgw-consent sgw-fido sgw-load; do
	case $system in
	apparmor) label=$name ;;
	selinux) label=system_u:system_r:sgwarden_${name#sgw-}_t:s0 label=${label/sgwarden_sgwardend_t/sgwarden_t} ;;
	esac
	claim "$name is in $label" ran "$name" "$label"
done
claim "the good path meets no denial" none denials

# Would it have been seen?  The same look at a start and a question, with one rule less, and with it again.
if [ $system = apparmor ]; then
	grep -vF '@{PROC}/@{pids}/stat r,' /etc/apparmor.d/sgwarden | tee /run/lacking | apparmor_parser -r
	claim "one rule is gone" [ "$(wc -l </run/lacking)" -eq $(($(wc -l </etc/apparmor.d/sgwarden) - 1)) ]
	claim "that is seen" finds 'operation="open" .*profile="sgwardend" name="/proc/[0-9]+/stat"'
	apparmor_parser -r /etc/apparmor.d/sgwarden
else
	policy=$(echo /etc/selinux/default/policy/policy.*)
	cp "$policy" /run/whole
	cp "$HERE/../../lacking.policy" "$policy"
	claim "one rule is gone" load_policy
	claim "that is seen" finds 'denied  \{ search \} .*:sgwarden_t:s0 tcontext=[^ ]* tclass=dir permissive=0'
	cp /run/whole "$policy"
	load_policy
fi
claim "with it again there is no denial" none asked

story hostile.py
. "$HERE/attacks.sh"
story programs.py
if [ "$FAILED" -gt 0 ]; then
	journalctl --no-pager -o cat -n 60 -u 'sgwarden*' -u hostile.service | cat
	grep -hE 'avc: .*sgwarden_|DENIED.*profile="sgw' "$AUDIT" | tail -n 60
fi
echo "$PROVED claims proved, $FAILED failed"
systemctl --force --force poweroff
