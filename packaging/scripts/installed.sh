#!/bin/sh
# After unpacking (deb: postinst, rpm: %post): the account, what confines the programs, and the
# profile for pam-auth-update.
#
# Nothing is restarted. sshd, sudo and login load the module and start latchkey-login afresh for
# each login, and open sessions need neither. A login that is under way has the old module in memory
# and meets the new login program: WIRE.md ("Versions") says why that pair works.
set -e

# account makes the user as which latchkey-twilio and the program of [notify] run.
account() {
	if id -u latchkey >/dev/null 2>&1; then
		[ "$(id -u latchkey)" -lt 1000 ] || warn "the account latchkey belongs to a person: latchkey-twilio and the program of [notify] will run as that user"
	elif command -v systemd-sysusers >/dev/null; then
		systemd-sysusers latchkey.conf
	else
		useradd --system --user-group --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin latchkey
	fi
}

# confine loads AppArmor's profiles, where AppArmor is in use. Without them logins work, too.
confine() {
	aa-enabled --quiet 2>/dev/null || return 0
	for profile in /etc/apparmor.d/usr.bin.enroll /etc/apparmor.d/usr.libexec.latchkey.*; do
		[ ! -e "$profile" ] || apparmor_parser --replace --write-cache --skip-bad-cache "$profile" ||
			warn "$profile was not loaded: its program runs without it"
	done
}

# labeled has SELinux know the programs and their files, where SELinux is in use.
labeled() {
	module=/usr/share/selinux/packages/latchkey.pp
	[ -e "$module" ] && selinuxenabled 2>/dev/null || return 0
	if ! semodule -X 200 -i "$module"; then
		warn "SELinux did not take $module: logins may not be able to save what they must, and be denied"
	fi
	restorecon -R /usr/libexec/latchkey /etc/latchkey /var/lib/latchkey || true
}

warn() { echo "latchkey: warning: $*" >&2; }

rm -f /var/lib/latchkey/.removable # of a removal that did not come to its end

case $1 in
configure | 1 | 2) # deb; rpm's count of installed versions
	account || warn "no account latchkey was made: latchkey-twilio and the program of [notify] will run with uid 65534"
	confine
	labeled
	# The profile for PAM stays off unless an administrator switches it on. Where it is on, a changed
	# one takes effect.
	if command -v pam-auth-update >/dev/null; then
		pam-auth-update --package
	fi
	;;
esac
