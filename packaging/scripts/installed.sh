#!/bin/sh
# After unpacking (deb: postinst, rpm: %post): the account, and the profile for pam-auth-update.
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

warn() { echo "latchkey: warning: $*" >&2; }

rm -f /var/lib/latchkey/.removable # of a removal that did not come to its end

case $1 in
configure | 1 | 2) # deb; rpm's count of installed versions
	account || warn "no account latchkey was made: latchkey-twilio and the program of [notify] will run with uid 65534"
	# The profile stays off unless an administrator switches it on; where it is on, a changed one takes effect.
	if command -v pam-auth-update >/dev/null; then
		pam-auth-update --package
	fi
	;;
esac
