#!/bin/sh
# Before removal (deb: prerm, rpm: %preun): the PAM profile goes first, and nothing may name the
# module any more.
#
# A module that is required and missing denies everybody, root on the console included. So removal
# is refused while PAM's files name it, in whatever way: enroll reads them. It is refused too
# where enroll cannot tell. The profile is taken out only when nothing else names the module: a
# removal that fails must not leave some services without the code. LATCHKEY_REMOVE_ANYWAY=1
# removes all the same; what is left of the lines is taken out afterwards (purge.sh).
set -e

# removable has the environment that enroll gives itself, so that it need not start again, which
# takes /proc.
removable() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin GOTRACEBACK=none \
		/usr/bin/enroll removable "$@" </dev/null >&2
}

# asked tells purge.sh that nothing needed the module; else that looks itself.
asked=/var/lib/latchkey/.removable

# sure fails unless enroll says that nothing needs the module. It ends the removal then, unless
# root insists.
sure() {
	status=0
	removable "$@" || status=$?
	[ "$status" -ne 0 ] || return 0
	if [ "$status" -ne 1 ]; then
		echo "latchkey: error: /usr/bin/enroll does not run, so who needs pam_latchkey.so is not" \
			"known. These mention it: $(grep -rls pam_latchkey /etc/pam.conf /etc/pam.d /usr/lib/pam.d | tr '\n' ' ')" >&2
	fi
	if [ -z "$LATCHKEY_REMOVE_ANYWAY" ]; then
		echo "latchkey: not removed" >&2
		exit 1
	fi
	return 1
}

case $1 in
remove | 0) # deb; rpm's count of versions that stay
	sure --but-profile || true
	if command -v pam-auth-update >/dev/null; then
		pam-auth-update --package --remove latchkey
	fi
	if sure; then echo >"$asked" || true; fi
	;;
esac
