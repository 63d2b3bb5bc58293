#!/bin/sh
# Run by userdel(8) after it has deleted an account: removes the second factor, so that an account
# that is later made with the same name does not have it.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ "${ACTION:-}" = userdel ] && [ -n "${SUBJECT:-}" ] || exit 0
[ -e "/etc/latchkey/users/$SUBJECT" ] || [ -e "/var/lib/latchkey/users/$SUBJECT" ] || exit 0
# In a fleet, reset is for the whole of it, and the user may well have accounts on other hosts.
[ ! -e /etc/latchkey/fleet.toml ] || exit 0
command -v enroll >/dev/null || exit 0
if getent passwd -- "$SUBJECT" >/dev/null; then
    echo "latchkey: there is still an account $SUBJECT, such as one in a directory, so its second factor" \
        "stays. To remove it, type: enroll reset $SUBJECT" >&2
    exit 0
fi
exec enroll reset --yes -- "$SUBJECT"
