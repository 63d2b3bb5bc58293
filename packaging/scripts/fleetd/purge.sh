#!/bin/sh
# After removal (deb: postrm, rpm: %postun). Purging keeps /var/lib/latchkey-fleetd, because without
# the fleet's secret in it no record in etcd can be read again, unless
# /etc/latchkey/purge-records exists. The account stays: it may own files.
set -e

case $1 in
remove | 0) # deb; rpm's count of versions that stay
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper mask latchkey-fleetd.service >/dev/null || true
	fi
	profile=/etc/apparmor.d/usr.sbin.latchkey-fleetd
	if aa-enabled --quiet 2>/dev/null && [ -e "$profile" ]; then
		apparmor_parser --remove "$profile" >/dev/null 2>&1 || true
	fi
	;;
purge)
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper purge latchkey-fleetd.service >/dev/null || true
		deb-systemd-helper unmask latchkey-fleetd.service >/dev/null || true
	fi
	if [ -e /etc/latchkey/purge-records ]; then
		rm -rf /var/lib/latchkey-fleetd /etc/latchkey/fleetd.toml
	elif [ -e /var/lib/latchkey-fleetd/fleet.key ]; then
		echo "latchkey-fleetd: hint: the fleet's secret is kept: to be rid of it: rm -r /var/lib/latchkey-fleetd"
	fi
	;;
esac
if [ -d /run/systemd/system ]; then systemctl daemon-reload || true; fi
