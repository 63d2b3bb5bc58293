package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
	"latchkey/sshd/terminal"
)

// su starts `su -c id` from one user to another, enrolled one, on a terminal inside the host.
func su(t *testing.T, h *suite.Host) (*terminal.Terminal, *suite.User) {
	t.Helper()
	must(t, h.Service("su", suite.Latchkey))
	from, to := user(t, h), enrolled(t, h)
	term, err := terminal.New(h.Shell(as(from, "/bin/su", "-c", "id", to.Name)...))
	must(t, err)
	t.Cleanup(term.Close)
	return term, to
}

// as returns a command line that root runs as that user.
func as(u *suite.User, argv ...string) []string {
	return append([]string{"/usr/bin/setpriv", "--reuid", u.Name, "--regid", u.Name,
		"--clear-groups", "/usr/bin/env", "-i",
		"GODEBUG=http2debug=1", "SSL_CERT_FILE=/tmp/x", "HTTPS_PROXY=http://127.0.0.1:9",
		"TMPDIR=/nonexistent", "TZ=../../x",
		"TWILIO_AUTH_TOKEN=x", "LD_PRELOAD=/tmp/x.so"}, argv...)
}

// local are the PAM applications other than sshd. Each command ends in a shell or command of the
// second user.
var local = []struct {
	service string
	argv    func(from, to *suite.User) []string
	user    func(from, to *suite.User) *suite.User // the user whose code is asked for
}{
	{"su", func(from, to *suite.User) []string { return as(from, "/bin/su", "-c", "id", to.Name) },
		func(_, to *suite.User) *suite.User { return to }},
	{"sudo", func(from, to *suite.User) []string {
		return as(from, "/usr/bin/sudo", "-u", to.Name, "/usr/bin/id")
	},
		func(from, _ *suite.User) *suite.User { return from }},
	{"login", func(_, to *suite.User) []string { return []string{"/bin/login", to.Name} },
		func(_, to *suite.User) *suite.User { return to }},
}

func TestSuSudoAndLoginAskForTheCodeInAnyEnvironment(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, "echo 'ALL ALL=(ALL) ALL' >/etc/sudoers.d/all")
		for _, app := range local {
			t.Run(app.service, func(t *testing.T) {
				must(t, h.Service(app.service, suite.Latchkey))
				from, to := enrolled(t, h), enrolled(t, h)
				u := app.user(from, to)
				start := func() *terminal.Terminal {
					term, err := terminal.New(h.Shell(app.argv(from, to)...))
					must(t, err)
					t.Cleanup(term.Close)
					must(t, term.Expect(`[Pp]assword`))
					must(t, term.Type(suite.Password))
					return term
				}
				term := start()
				for range 3 {
					must(t, term.Expect(`From your app.*Verification code: `))
					must(t, term.Type(u.WrongCode()))
				}
				audited(t, h, u.Name, 1, "verdict=deny", "reason=wrong",
					fmt.Sprintf("service=%q", app.service))
				term.Close()
				if strings.Contains(term.Seen(), "uid=") {
					t.Errorf("allowed: %q", term.Seen())
				}
				term = start()
				must(t, term.Expect(`From your app.*Verification code: `))
				must(t, term.Type(u.Code()))
				if app.service == "login" {
					// login discards what was typed before its shell reads
					must(t, term.Expect(`\$ `))
					must(t, term.Type("id; exit"))
				}
				must(t, term.Expect(`uid=\d+\(`+to.Name+`\)`))
				audited(t, h, u.Name, 2, "verdict=allow", fmt.Sprintf("service=%q", app.service))
			})
		}
	})
}

func TestSuWithoutATerminalIsDenied(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		for _, stack := range []suite.Stack{suite.Latchkey, suite.OnlyCode} {
			must(t, h.Service("su", stack))
			from, to := user(t, h), enrolled(t, h)
			reply, err := h.Run(wire.Request{Argv: as(from, "/bin/su", "-c", "id", to.Name)})
			must(t, err)
			if reply.Exit == 0 || strings.Contains(string(reply.Stdout), "uid=") {
				t.Errorf("allowed: %+v", reply)
			}
			if len(stack) == 1 {
				audited(t, h, to.Name, 1, "verdict=deny", "reason=conversation")
			}
		}
	})
}
