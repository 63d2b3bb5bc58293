package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
)

// su starts `su -c id` from one user to another, enrolled one, on a terminal inside the host.
func su(t *testing.T, h *suite.Host) (*suite.Terminal, *suite.User) {
	t.Helper()
	must(t, h.Service("su", suite.Latchkey))
	from, to := user(t, h), enrolled(t, h)
	terminal, err := suite.NewTerminal(h.Shell(as(from, "/bin/su", "-c", "id", to.Name)...))
	must(t, err)
	t.Cleanup(terminal.Close)
	return terminal, to
}

// as is a command line that root runs as that user.
func as(u *suite.User, argv ...string) []string {
	return append([]string{"/usr/bin/setpriv", "--reuid", u.Name, "--regid", u.Name, "--clear-groups", "/usr/bin/env", "-i",
		"GODEBUG=http2debug=1", "SSL_CERT_FILE=/tmp/x", "HTTPS_PROXY=http://127.0.0.1:9", "TMPDIR=/nonexistent", "TZ=../../x",
		"TWILIO_AUTH_TOKEN=x", "LD_PRELOAD=/tmp/x.so"}, argv...)
}

func TestSuAsksForTheCodeWhateverTheCallersEnvironment(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		terminal, u := su(t, h)
		must(t, terminal.Expect(`Password: `))
		must(t, terminal.Type(suite.Password))
		must(t, terminal.Expect(`Code from your app: `))
		must(t, terminal.Type(u.Code()))
		must(t, terminal.Expect(`uid=\d+\(`+u.Name+`\)`))
		if exit, err := terminal.Exit(); err != nil || exit != 0 {
			t.Errorf("exit %d, %v: %q", exit, err, terminal.Seen())
		}
		audited(t, h, u.Name, 1, "verdict=allow", `service="su"`)

		terminal, u = su(t, h)
		must(t, terminal.Expect(`Password: `))
		must(t, terminal.Type(suite.Password))
		for range 3 {
			must(t, terminal.Expect(`Code from your app: `))
			must(t, terminal.Type(u.WrongCode()))
		}
		if exit, err := terminal.Exit(); err != nil || exit == 0 || strings.Contains(terminal.Seen(), "uid=") {
			t.Errorf("exit %d, %v: %q", exit, err, terminal.Seen())
		}
		audited(t, h, u.Name, 1, "verdict=deny", "reason=wrong")
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
