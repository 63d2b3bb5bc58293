#!/bin/sh
# After unpacking (deb: postinst, rpm: %post): the account, its folder, what confines the service,
# and the service.
#
# The service starts where /etc/latchkey/fleetd.toml exists. An upgrade restarts it: it answers what
# it was asked before it ends, and hosts ask another service meanwhile.
set -e

account() {
	if command -v systemd-sysusers >/dev/null; then
		systemd-sysusers latchkey-fleetd.conf
	elif ! id -u latchkey-fleetd >/dev/null 2>&1; then
		useradd --system --user-group --no-create-home --home-dir /var/lib/latchkey-fleetd --shell /usr/sbin/nologin latchkey-fleetd
	fi
}

# folder makes the folder that only the service may read: the fleet's secret is in it.
folder() {
	[ -d /var/lib/latchkey-fleetd ] || mkdir -m 0700 /var/lib/latchkey-fleetd
	chown latchkey-fleetd:latchkey-fleetd /var/lib/latchkey-fleetd
	chmod 0700 /var/lib/latchkey-fleetd
}

# confine loads AppArmor's profile, where AppArmor is in use. The unit asks for it if it is there.
confine() {
	aa-enabled --quiet 2>/dev/null || return 0
	profile=/etc/apparmor.d/usr.sbin.latchkey-fleetd
	[ ! -e "$profile" ] || apparmor_parser --replace --write-cache --skip-bad-cache "$profile" ||
		echo "latchkey-fleetd: warning: $profile was not loaded: the service runs without it" >&2
}

# enabled has systemd start the service with the machine, at the first installation only.
enabled() {
	if command -v deb-systemd-helper >/dev/null; then
		deb-systemd-helper unmask latchkey-fleetd.service >/dev/null || true
		if deb-systemd-helper --quiet was-enabled latchkey-fleetd.service; then
			deb-systemd-helper enable latchkey-fleetd.service >/dev/null || true
		fi
	elif [ "$1" = 1 ] && command -v systemctl >/dev/null; then
		systemctl preset latchkey-fleetd.service >/dev/null 2>&1 || true
	fi
}

# started starts or restarts it, where the machine's policy does not say otherwise.
started() {
	[ -d /run/systemd/system ] || return 0
	systemctl daemon-reload || true
	if command -v deb-systemd-invoke >/dev/null; then
		deb-systemd-invoke restart latchkey-fleetd.service >/dev/null || true
	else
		systemctl try-restart latchkey-fleetd.service || true
	fi
}

case $1 in
configure | 1 | 2) # deb; rpm's count of installed versions
	account
	folder
	confine
	enabled "$1"
	started
	;;
esac
