package sshd_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

// postfix starts Debian's mail server for this host alone, at a port of its own: containers share
// the network.
const postfix = `set -e
cat >/etc/postfix/main.cf <<END
compatibility_level = 3.6
myhostname = localhost
mydestination = localhost
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
alias_database =
maillog_file = /var/log/postfix.log
END
postconf -F '*/*/chroot = n'
postconf -MX smtp/inet
postconf -Me %[1]d/inet="%[1]d inet n - n - - smtpd"
mkdir -p /var/mail && chmod 1777 /var/mail
postfix start >/dev/null 2>&1 </dev/null
`

// mailHost is a Debian with a mail server that is not started, and the example as its page
// installs it, but for the port.
func mailHost(t *testing.T) (h *suite.Host, port int) {
	t.Helper()
	h, err := shared.With(suite.Debian13, "postfix")
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	port, err = suite.FreePort()
	must(t, err)
	script(t, h, fmt.Sprintf(`cd %snotify-mail
sed 's/, 25$/, %d/' latchkey-mail >/tmp/latchkey-mail
install -m 0755 /tmp/latchkey-mail /usr/local/sbin/
cat latchkey.toml >>/etc/latchkey/latchkey.toml`, installed, port))
	return h, port
}

// The example of a program for [notify] mails through a real mail server; without one, logins work
// and the log says what was not told.
func TestMailOfExampleReachesUser(t *testing.T) {
	t.Parallel()
	h, port := mailHost(t)
	s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
	c := suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}}
	allowed(t, s, c)
	const program = "/usr/local/sbin/latchkey-mail"
	untold := fmt.Sprintf("untold=new-network user=%q program=%q", u.Name, program)
	must(t, poll.Until("the log says that no mail was sent", time.Minute, func() error {
		text := logOf(h, u.Name)
		if !strings.Contains(text, untold) || !strings.Contains(text, "refused") {
			return fmt.Errorf("it says %s, want %s: connection refused", text, untold)
		}
		return nil
	}))
	script(t, h, fmt.Sprintf(postfix, port))
	c.Codes, c.From = []string{u.CodeAt(1)}, "127.1.2.3"
	allowed(t, s, c)
	must(t, poll.Until("the mail is there", time.Minute, func() error {
		mail, err := h.Exec("", "/bin/cat", "/var/mail/"+u.Name)
		if err != nil {
			return err
		}
		for _, want := range []string{
			"From: latchkey@localhost", "To: " + u.Name + "@localhost, root@localhost",
			"Auto-Submitted: auto-generated", "Subject: ",
			"you logged in from 127.1.2.0/24, a network", "from: 127.1.2.3", "method: totp", "service: ",
		} {
			if !strings.Contains(strings.ReplaceAll(mail, "\n ", " "), want) {
				return fmt.Errorf("the mail has no %q: %s", want, mail)
			}
		}
		return nil
	}))
}
