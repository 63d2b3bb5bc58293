#!/bin/sh
# Before removal (deb: prerm, rpm: %preun): the PAM profile goes first, and then no file may name
# the module.
#
# A module that is required and missing denies everyone, root on the console included. So removal is
# refused while PAM's files name it in any way (enroll reads them), and where enroll cannot find
# out. The profile is taken out only when nothing else names the module: a removal that fails must
# not leave some services without the code. LATCHKEY_REMOVE_ANYWAY=1 removes all the same: what
# enroll activate has written is then put back as a whole, because its other lines may count on those
# with the module, and purge.sh takes out what remains.
set -e

# run runs enroll in the environment that enroll gives itself, so that it need not start itself
# again, for which it needs /proc.
run() {
	env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin GOTRACEBACK=none /usr/bin/enroll "$@" </dev/null >&2
}

# asked tells purge.sh that nothing needs the module. Without it, purge.sh looks for itself.
asked=/var/lib/latchkey/.removable

# sure fails unless enroll says that nothing needs the module. That ends the removal, unless root
# insists.
sure() {
	status=0
	run removable "$@" || status=$?
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
	sure --but-profile || run deactivate || true
	if command -v pam-auth-update >/dev/null; then
		pam-auth-update --package --remove latchkey
	fi
	if sure; then echo >"$asked" || true; fi
	;;
esac
