#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# In a machine that has nothing of ours, as root: the life of the Debian package, from its installation to its purge, with a
# start of the machine in the middle.  fresh.py tells it in two parts; this is run once for each.
export HOME=/ PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin TERM=dumb
here=$(dirname "$0")
said=/var/tmp/part
part=1
[ -e ${said}1 ] && part=2

/usr/bin/python3 -B "$here/fresh.py" $part 2>&1 | tee $said$part
status=${PIPESTATUS[0]}
if [ $part = 1 ] && [ "$status" -eq 0 ]; then
	systemctl --no-block reboot
	exit 0
fi
[ "$status" -eq 0 ] || journalctl --no-pager -o cat -n 60 -u 'sgwarden*' | cat
proved=$(cat $said? | grep -c '^ok  ')
failed=$(cat $said? | grep -c '^FAILED  ')
# it may have ended for another reason than a claim
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$proved claims proved, $failed failed"
systemctl --force --force poweroff
