#!/bin/sh
# Before removal (deb: prerm, rpm: %preun): the PAM profile goes first, and nothing may name the module any more.
#
# A module that is required and missing denies everybody, root on the console included. So removal is refused while a file of
# PAM's names it, rather than done and regretted. The profile is taken out only when no service's own file names the module: a
# removal that fails must not leave some services without the code. LATCHKEY_REMOVE_ANYWAY=1 removes all the same.
set -e

# naming lists the files that load the module. A line that begins with a dash does not mind that it is gone; copies that
# editors and package managers leave behind are no services.
naming() {
	grep -lsE '^[[:space:]]*([^#[:space:]-][^#]*)?pam_latchkey\.so' /etc/pam.conf /etc/pam.d/* /usr/lib/pam.d/* |
		grep -vE '(~|\.(bak|orig|old|rpmnew|rpmsave|rpmorig|(dpkg|ucf)-[a-z]+))$' || true
}

# refuse_if ends the removal if files are given.
refuse_if() {
	[ $# -gt 0 ] || return 0
	echo "latchkey: error: without pam_latchkey.so these let nobody in: $*" >&2
	if [ -z "$LATCHKEY_REMOVE_ANYWAY" ]; then
		echo "latchkey: hint: take its line out, then remove latchkey again: sed -i '/pam_latchkey/d' $*" >&2
		exit 1
	fi
}

case $1 in
remove | 0) # deb; rpm's count of versions that stay
	# shellcheck disable=SC2046 # a list of files; PAM's services have no spaces in their names
	refuse_if $(naming | grep -v '^/etc/pam\.d/common-')
	if command -v pam-auth-update >/dev/null; then
		pam-auth-update --package --remove latchkey
	fi
	# shellcheck disable=SC2046
	refuse_if $(naming)
	;;
esac
