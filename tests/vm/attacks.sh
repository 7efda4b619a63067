# SPDX-License-Identifier: Apache-2.0
# Part of guest.sh: a shell in the place of each program of ours, begun as that is, in its profile or domain, as root and without
# a filter.  It tries one thing after the other that AppArmor or SELinux is meant to stop.  None gets through, and each has one
# denial more in the log, of that subject, that object and that operation.
ROLES="supervisor front planner broker net consent fido load"
ATTACKS="sealed credentials key network port shell"
declare -A SAID=([sealed]="opens nothing that is sealed" [credentials]="opens no file of AWS's" [key]="opens no security key"
	[network]="has no network" [port]="connects to no port but those of HTTP and DNS" [shell]="runs no shell")

# What lies there may be read by anybody, by its mode: what refuses is the profile or the domain.
object() {
	mkdir -p "$(dirname "$1")"
	touch "$1"
	chmod 755 "$(dirname "$1")"
	chmod 644 "$1"
}

if [ $system = apparmor ]; then
	# A profile names what its process reads and writes, and cannot tell who opened it.
	declare -A OFFICE=([supervisor]="sealed credentials key" [broker]=sealed [net]=network [fido]=key [load]=credentials)
	declare -A OBJECT=([sealed]=/var/lib/sgwarden/sealed [credentials]=/etc/sgwarden/aws/credentials [key]=/dev/hidraw99
		[shell]=/usr/bin/bash)
	object "${OBJECT[sealed]}"
	object "${OBJECT[credentials]}"
else
	# Whatever is opened is opened by the supervisor.  Right below the root, because that is the one directory that every domain
	# may search.
	declare -A OFFICE=([supervisor]="sealed credentials key" [net]=network)
	declare -A OBJECT=([sealed]=/sealed [credentials]=/credentials [key]=/hidraw99 [shell]=/shell)
	declare -A TYPE=([sealed]=sgwarden_state_t [credentials]=sgwarden_aws_t [key]=sgwarden_key_t [shell]=shell_exec_t)
	object /sealed
	object /credentials
	cp /bin/bash /shell
	for what in sealed credentials shell; do
		chcon -t "${TYPE[$what]}" "${OBJECT[$what]}"
	done
fi
mknod -m 666 "${OBJECT[key]}" c 254 99
[ $system = apparmor ] || chcon -t sgwarden_key_t /hidraw99

# attack WHAT: in the words of a shell that goes on where it was refused, and ends with 1 where it was not
attack() {
	case $1 in
	network) echo ": >/dev/tcp/127.0.0.1/80 && exit 1;" ;;
	port) echo ": >/dev/tcp/127.0.0.1/22 && exit 1;" ;;
	shell) echo "exec ${OBJECT[shell]} /not/there;" ;;
	*) echo ": <${OBJECT[$1]} && exit 1;" ;;
	esac
}

# record ROLE WHAT: the denial that is meant for it
record() {
	local subject=sgw-$1 domain=sgwarden_$1_t
	[ "$1" = supervisor ] && subject=sgwardend domain=sgwarden_t
	case $system:$2 in
	apparmor:network) echo "operation=\"create\" .*profile=\"$subject\" .*family=\"inet\"" ;;
	apparmor:shell) echo "operation=\"exec\" .*profile=\"$subject\" .*name=\"${OBJECT[shell]}\"" ;;
	apparmor:*) echo "operation=\"open\" .*profile=\"$subject\" .*name=\"${OBJECT[$2]}\"" ;;
	selinux:network) echo "denied  \{ create \} .*:$domain:s0 tcontext=[^ ]*:$domain:s0 tclass=tcp_socket permissive=0" ;;
	selinux:port) echo "denied  \{ name_connect \} .*:$domain:s0 tcontext=[^ ]*:ssh_port_t:s0 tclass=tcp_socket permissive=0" ;;
	selinux:shell) echo "denied  \{ execute \} .*:$domain:s0 tcontext=[^ ]*:shell_exec_t:s0 tclass=file permissive=0" ;;
	selinux:*) echo "denied  \{ (read|open) \} .*:$domain:s0 tcontext=[^ ]*:${TYPE[$2]}:s0 tclass=(file|chr_file) permissive=0" ;;
	esac
}

# hostile ROLE SCRIPT: begun as that process is.  Under SELinux that is by systemd and, for a child, by the supervisor's program.
hostile() {
	local supervisor=/hostile child=/hostile-$1 profile=sgw-$1
	local script="shopt -s execfail; $2 exit 0"
	if [ $system = apparmor ]; then
		[ "$1" = supervisor ] && profile=sgwardend
		aa-exec -p "$profile" -- bash -c "$script" 2>/dev/null
		return
	fi
	cp /bin/bash "$supervisor"
	chcon -t sgwarden_exec_t "$supervisor"
	if [ "$1" = supervisor ]; then
		printf "[Service]\nType=oneshot\nExecStart=%s -c '%s'\n" "$supervisor" "$script"
	else
		cp /bin/bash "$child"
		chcon -t "sgwarden_$1_exec_t" "$child"
		printf "[Service]\nType=oneshot\nExecStart=%s -c '%s -c \"%s\"'\n" "$supervisor" "$child" "$script"
	fi >/run/systemd/system/hostile.service
	systemctl daemon-reload
	systemctl start hostile.service
}

# meant ROLE WHAT: is it for AppArmor or SELinux to refuse this?  Which port is SELinux's to say, and of net alone, for the others
# have none.
meant() {
	[ "$2" = port ] && [ "$system:$1" != selinux:net ] && return 1
	[[ " ${OFFICE[$1]} " != *" $2 "* ]]
}

# more PATTERN BEFORE: the log has one more of these records
more() {
	[ "$(grep -cE "$1" "$AUDIT")" -gt "$2" ]
}

for role in $ROLES; do
	script=
	declare -A before=()
	for what in $ATTACKS; do
		meant "$role" "$what" || continue
		script+=$(attack "$what")
		before[$what]=$(grep -cE "$(record "$role" "$what")" "$AUDIT")
	done
	claim "$role: nothing gets through" hostile "$role" "$script"
	settled
	for what in $ATTACKS; do
		meant "$role" "$what" && claim "$role ${SAID[$what]}" more "$(record "$role" "$what")" "${before[$what]}"
	done
done
