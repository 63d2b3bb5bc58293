#!/bin/sh
# After removal (deb: postrm, rpm: %postun). Purging keeps the users' records, the key that opens
# them, and Twilio's credentials, because they cannot be restored, unless
# /etc/latchkey/purge-records exists. The account stays: it may own files.
set -e

# named matches a line that names the module and is not a comment.
named='^([^#]*[][/[:space:]])?pam_latchkey\.so([]#[:space:]]|$)'

# naming lists the files that have such a line. Copies that editors and package managers leave
# behind are not services.
naming() {
	grep -RlsE "$named" /etc/pam.d /usr/lib/pam.d |
		grep -vE '(~|\.(bak|orig|old|save|rpmnew|rpmsave|rpmorig|pam-old|(dpkg|ucf)-[a-z]+))$' || true
}

# before puts back what a file held before enroll activate, whose other lines may jump to those with
# the module: the copy, or the distribution's own file.
before() {
	grep -q '^# latchkey begin (enroll activate)' "$1" || return 0
	copy=/var/lib/latchkey/activation/$(echo "${1#/}" | tr / -)
	[ -s "$copy" ] || copy=/usr/lib/pam.d/${1##*/}
	[ -s "$copy" ] || return 0
	cat "$copy" >"$1"
	did="it is as it was before enroll activate, without what was changed since"
}

# release takes the lines of a module that is gone out of a file, with their continuation lines.
# Without that no one could get in; with it, passwords work.
release() {
	cp -p "$1" "$1.dpkg-old"
	did="its lines with pam_latchkey.so were taken out"
	before "$1"
	sed -E -i -e ':a' -e '/^[^#]*\\[[:blank:]]*$/{N;s/\\[[:blank:]]*\n/ /;ba' -e '}' \
		-e "/$named/d" "$1"
	echo "latchkey: warning: $1 no longer asks for a code: $did (before: $1.dpkg-old)" >&2
}

# left looks for services that still need the module, unless prerm has just done so (remove.sh):
# dpkg does not call prerm for a package that is unpacked and was never configured, and root may
# have set LATCHKEY_REMOVE_ANYWAY.
left() {
	if [ -e /var/lib/latchkey/.removable ]; then
		rm -f /var/lib/latchkey/.removable
		rmdir /var/lib/latchkey 2>/dev/null || true # rpm could not
	elif [ -z "$(find /usr/lib /usr/lib64 /lib /lib64 -name pam_latchkey.so 2>/dev/null)" ]; then
		# The profile is gone, so this takes its line out.
		if command -v pam-auth-update >/dev/null; then pam-auth-update --package; fi
		naming | while read -r file; do release "$file"; done
	fi
	if [ -e /etc/ssh/sshd_config.d/00-latchkey.conf ]; then
		echo "latchkey: hint: sshd still wants what latchkey did: rm /etc/ssh/sshd_config.d/00-latchkey.conf && systemctl reload ssh" >&2
	fi
}

# hooks removes what enroll activate has started with the machine, where it was still pending.
hooks() {
	rm -f /etc/cron.d/latchkey-rollback /etc/init.d/latchkey-rollback \
		/etc/rc[2-5].d/S99latchkey-rollback /etc/systemd/system/latchkey-rollback.service \
		/etc/systemd/system/multi-user.target.wants/latchkey-rollback.service
}

# unconfine takes AppArmor's profiles out of the kernel. Their files are configuration, which only
# purging removes.
unconfine() {
	aa-enabled --quiet 2>/dev/null || return 0
	for profile in /etc/apparmor.d/usr.bin.enroll /etc/apparmor.d/usr.libexec.latchkey.*; do
		[ ! -e "$profile" ] || apparmor_parser --remove "$profile" >/dev/null 2>&1 || true
	done
}

# unlabeled removes SELinux's module, and gives what stays the label that it has without it.
unlabeled() {
	selinuxenabled 2>/dev/null || return 0
	semodule -X 200 -r latchkey >/dev/null 2>&1 || return 0
	restorecon -R /etc/latchkey /var/lib/latchkey 2>/dev/null || true
}

case $1 in
remove | 0) left; hooks; unconfine; unlabeled ;; # deb; rpm's count of versions that stay
purge)
	if [ -e /etc/latchkey/purge-records ]; then
		rm -rf /etc/latchkey /var/lib/latchkey
	elif [ -e /var/lib/latchkey/key ]; then
		echo "latchkey: hint: records are kept: to be rid of them: rm -r /etc/latchkey /var/lib/latchkey"
	fi
	;;
esac
