#!/bin/sh
# After removal (deb: postrm). Purging keeps who has which devices, the key that opens them, and Twilio's credentials, because
# nothing can bring them back, unless /etc/latchkey/purge-records is there. The account stays: files may be its.
set -e

# naming is the one of remove.sh.
naming() {
	grep -lsE '^[[:space:]]*([^#[:space:]-][^#]*)?pam_latchkey\.so' /etc/pam.conf /etc/pam.d/* /usr/lib/pam.d/* |
		grep -vE '(~|\.(bak|orig|old|rpmnew|rpmsave|rpmorig|(dpkg|ucf)-[a-z]+))$' || true
}

# left says what still needs what is gone. dpkg asks prerm nothing about a package that is unpacked but was never configured.
left() {
	# shellcheck disable=SC2046 # a list of files; PAM's services have no spaces in their names
	set -- $(naming)
	if [ $# -gt 0 ] && [ -z "$(find /usr/lib /lib -name pam_latchkey.so -print -quit 2>/dev/null)" ]; then
		echo "latchkey: warning: NOBODY GETS IN where these ask: $*" >&2
		echo "latchkey: hint: now, in this shell: sed -i '/pam_latchkey/d' $*" >&2
	fi
	if [ -e /etc/ssh/sshd_config.d/00-latchkey.conf ]; then
		echo "latchkey: hint: sshd still wants what latchkey did: rm /etc/ssh/sshd_config.d/00-latchkey.conf && systemctl reload ssh" >&2
	fi
}

case $1 in
remove) left ;;
purge)
	if [ -e /etc/latchkey/purge-records ]; then
		rm -rf /etc/latchkey /var/lib/latchkey
	elif [ -e /var/lib/latchkey/key ]; then
		echo "latchkey: hint: records are kept: to be rid of them: rm -r /etc/latchkey /var/lib/latchkey"
	fi
	;;
esac
