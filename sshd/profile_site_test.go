package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/apparmor"
)

// sitesNeed demands what sites have and containers do not: other name services, other places of
// resolv.conf; and that what matters most is out of reach.
func sitesNeed(t *testing.T, rules apparmor.Profiles) {
	t.Helper()
	const read, write, load = apparmor.Read, apparmor.Write, apparmor.Map
	for _, c := range []struct {
		profile, paths string
		asked, want    apparmor.Access
	}{
		{"enroll", "/var/lib/sss/pipes/nss /var/lib/sss/pipes/private/pam /run/nslcd/socket " +
			"/run/nscd/socket /run/samba/winbindd/pipe /run/systemd/userdb/io.systemd.Home " +
			"/run/dbus/system_bus_socket /run/faillock/alice", read | write, read | write},
		{"enroll", "/usr/lib/x86_64-linux-gnu/libnss_sss.so.2 /lib/security/pam_krb5.so " +
			"/usr/local/lib/libykclient.so.3 /opt/vendor/lib64/pam_vendor.so",
			read | load, read | load},
		{"latchkey-twilio", "/etc/nsswitch.conf /etc/hosts /run/systemd/resolve/stub-resolv.conf " +
			"/run/NetworkManager/resolv.conf /run/resolvconf/resolv.conf /usr/share/ca-certificates/" +
			"mozilla/x.crt /usr/local/share/ca-certificates/x.crt", read, read},
		{"latchkey-login", "/etc/shadow /etc/gshadow- /etc/ssh/ssh_host_rsa_key /home/a/b", read,
			0},
		{"latchkey-login", "/etc/latchkey/users/alice /etc/passwd /usr/bin/x", write, 0},
		{"latchkey-twilio", "/etc/latchkey/twilio.toml /var/lib/latchkey/key /etc/latchkey/users/a",
			read, 0},
		{"enroll", "/usr/bin/x /boot/x /dev/sda", write, 0},
	} {
		for _, path := range strings.Fields(c.paths) {
			got := rules.Named(c.profile).Allows(path, true)
			if got &= c.asked; got != c.want {
				t.Errorf("%s: got %q for %s, want %q", c.profile, got, path, c.want)
			}
		}
	}
}
