#!/bin/sh
# Before removal (deb: prerm, rpm: %preun): the service ends. Hosts ask the others.
set -e

case $1 in
remove | 0) # deb; rpm's count of versions that stay
	[ -d /run/systemd/system ] || exit 0
	if command -v deb-systemd-invoke >/dev/null; then
		deb-systemd-invoke stop latchkey-fleetd.service >/dev/null || true
	else
		systemctl --no-reload disable --now latchkey-fleetd.service || true
	fi
	;;
esac
