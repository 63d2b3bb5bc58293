package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// startDovecot starts it with Debian's configuration. Its waits for clients that fail are off.
func (h *fieldHost) startDovecot(t *testing.T) {
	limit := ""
	if !h.lifts(t) {
		limit = h.says(t, "service auth-worker {\n  vsz_limit = 4G\n}")
	}
	script(t, h.Host, `cat >/etc/dovecot/local.conf <<'.'
listen = 127.0.0.1
ssl = no
auth_failure_delay = 0
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`+limit+`
.`)
	h.daemon(t, "dovecot", listening(143))
}

func (h *fieldHost) imapLogin(t *testing.T, u *suite.User, password, code string) bool {
	t.Helper()
	return h.client(t, password+code, "python3 /root/client.py imap 143 "+u.Name, "let in",
		"AUTHENTICATIONFAILED")
}

// lifts reports whether root inside may lift a limit.
func (h *fieldHost) lifts(t *testing.T) bool {
	t.Helper()
	said := script(t, h.Host,
		"(ulimit -v 200000; ulimit -H -v unlimited 2>/dev/null && echo yes) || true")
	return said == "yes\n"
}

// startVsftpd starts it with Debian's configuration. Where root may not lift its limit, it is tried
// with the limit, and then started without.
func (h *fieldHost) startVsftpd(t *testing.T) {
	script(t, h.Host, `set -e
mkdir -p /var/run/vsftpd/empty
printf '%s\n' delay_failed_login=0 background=YES listen_ipv6=NO listen=YES >>/etc/vsftpd.conf`)
	start := "vsftpd"
	if !h.lifts(t) {
		t.Log("root may not lift limits here: vsftpd is tried with its limit and without it")
		h.limited(t)
		start = "python3 /root/without_limit.py vsftpd"
	}
	h.daemon(t, start, listening(21))
}

// limited checks that everyone is denied at once, and that the log says why.
func (h *fieldHost) limited(t *testing.T) {
	t.Helper()
	h.daemon(t, "vsftpd -olisten_port=2121", listening(2121))
	u := enrolled(t, h.Host)
	if h.ftpAt(t, 2121, u, suite.Password+u.Code()) {
		t.Error("let in without the login program")
	}
	line := audited(t, h.Host, u.Name, 1, "verdict=deny", "reason=internal")
	if want := "RLIMIT_AS is 200 MB and may not be raised"; !strings.Contains(line, want) {
		t.Errorf("the log says %s, not %s", line, want)
	}
}

func (h *fieldHost) ftpLogin(t *testing.T, u *suite.User, password, code string) bool {
	t.Helper()
	return h.ftpAt(t, 21, u, password+code)
}

func (h *fieldHost) ftpAt(t *testing.T, port int, u *suite.User, typed string) bool {
	t.Helper()
	return h.client(t, typed, fmt.Sprintf("python3 /root/client.py ftp %d %s", port, u.Name),
		"let in", "530 Login incorrect")
}

// startRadius changes Debian's configuration as the page says. Its wait before a refusal is off.
func (h *fieldHost) startRadius(t *testing.T) {
	h.says(t, "security {\n\tuser = root\n\tgroup = root")
	h.says(t, "DEFAULT Auth-Type := PAM")
	script(t, h.Host, `set -e
cd /etc/freeradius/3.0
sed -i -E 's/^(\s(user|group)) = freerad$/\1 = root/; s/reject_delay = 1/reject_delay = 0/' \
	radiusd.conf
`+h.says(t, "ln -s ../mods-available/pam /etc/freeradius/3.0/mods-enabled/")+`
sed -i 's/^#\tpam$/\tpam/' sites-enabled/default
sed -i '1i DEFAULT Auth-Type := PAM' mods-config/files/authorize`)
	h.daemon(t, "freeradius -l /root/radius.log", "grep 'Ready to process' /root/radius.log")
}

func (h *fieldHost) radiusLogin(t *testing.T, u *suite.User, password, code string) bool {
	t.Helper()
	return h.client(t, fmt.Sprintf("User-Name = %q\nUser-Password = %q\n", u.Name, password+code),
		"radclient 127.0.0.1 auth testing123", "Received Access-Accept", "Received Access-Reject")
}

// startSesman starts xrdp's session manager: Debian 12's has a port, Debian 13's a socket.
func (h *fieldHost) startSesman(t *testing.T) {
	script(t, h.Host, "sed -i s/^MaxLoginRetry=.*/MaxLoginRetry=0/ /etc/xrdp/sesman.ini")
	h.daemon(t, "xrdp-sesman",
		"test -S /run/xrdp/sockdir/sesman.socket || grep :0D16 /proc/net/tcp6")
}

// sesmanLogin is a login by xrdp's own client of its session manager, which has ended after a
// refusal. There is no X server to wait for after a success: the log says that there may be a
// session.
func (h *fieldHost) sesmanLogin(t *testing.T, u *suite.User, password, code string) bool {
	t.Helper()
	in, out, server := "Access permitted for user: "+u.Name, "AUTHFAIL: user="+u.Name, ""
	if h.Distribution == suite.Debian12 {
		in = ": username " + u.Name // a session was created or joined
		server = "-s 127.0.0.1"     // with no network but this, it does not find localhost
	}
	return h.client(t, password+code, fmt.Sprintf(`cd /root && cat >typed
xrdp-sesrun %s -F 0 -t Xvnc %s <typed >/dev/null 2>&1 &
timeout 60 sh -c 'until grep -o -F -e "%s" -e "%s" /var/log/xrdp-sesman.log
do sleep 0.1; done' | tee it
if grep -q AUTHFAIL it; then wait; else kill $!; fi
: >/var/log/xrdp-sesman.log`, server, u.Name, in, out), in, out)
}
