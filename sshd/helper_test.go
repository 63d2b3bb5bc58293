package sshd_test

import (
	"fmt"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// onEach runs a test on every distribution, in parallel.
func onEach(t *testing.T, test func(t *testing.T, h *suite.Host)) {
	t.Helper()
	t.Parallel()
	for _, d := range suite.Distributions {
		t.Run(d.Name, func(t *testing.T) {
			t.Parallel()
			h, err := shared.Host(d)
			must(t, err)
			test(t, h)
		})
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// server returns a server that all tests share.
func server(t *testing.T, h *suite.Host, c suite.Config) *suite.Server {
	t.Helper()
	s, err := h.Server(c)
	must(t, err)
	return s
}

// ownServer returns a server that only this test uses. Its PAM service is named after the test.
func ownServer(t *testing.T, h *suite.Host, c suite.Config) *suite.Server {
	t.Helper()
	s, err := h.Serve(c)
	must(t, err)
	t.Cleanup(s.Stop)
	return s
}

// user returns a new account without a second factor.
func user(t *testing.T, h *suite.Host) *suite.User {
	t.Helper()
	u, err := h.User()
	must(t, err)
	return u
}

// enrolled returns a new account with an authenticator app.
func enrolled(t *testing.T, h *suite.Host) *suite.User {
	t.Helper()
	u := user(t, h)
	must(t, u.Enroll())
	return u
}

// attempt starts a login and hangs up when the test ends.
func attempt(t *testing.T, s *suite.Server, a suite.Attempt) *suite.Outcome {
	t.Helper()
	o := s.Login(a)
	t.Cleanup(o.Close)
	return o
}

// allowed is an attempt that must get in and run a command as that user.
func allowed(t *testing.T, s *suite.Server, a suite.Attempt) *suite.Outcome {
	t.Helper()
	o := attempt(t, s, a)
	if !o.In() {
		t.Fatalf("denied: %v; prompts %q\n%s", o.Err, o.Prompts, logOf(s.Host, a.User))
	}
	out, err := o.Output("id -un")
	must(t, err)
	if strings.TrimSpace(out) != a.User {
		t.Fatalf("the shell runs as %q, not %s", out, a.User)
	}
	return o
}

// denied is an attempt that must not get in.
func denied(t *testing.T, s *suite.Server, a suite.Attempt) *suite.Outcome {
	t.Helper()
	o := attempt(t, s, a)
	if o.In() {
		t.Fatalf("allowed; prompts %q\n%s", o.Prompts, logOf(s.Host, a.User))
	}
	return o
}

// hungUp is denied for an attempt that hangs up, of which sshd may hear late: it waits for its line
// in the log, so that what comes next is behind it.
func hungUp(t *testing.T, s *suite.Server, a suite.Attempt) *suite.Outcome {
	t.Helper()
	before, err := s.Audit(a.User, 0)
	must(t, err)
	o := denied(t, s, a)
	_, err = s.Audit(a.User, len(before)+1)
	must(t, err)
	return o
}

// audited waits for the n-th audit line of the user and checks that it has all the words.
func audited(t *testing.T, h *suite.Host, user string, n int, words ...string) string {
	t.Helper()
	lines, err := h.Audit(user, n)
	if err != nil {
		t.Fatalf("%v\n%s", err, logOf(h, user))
	}
	if len(lines) != n {
		t.Fatalf("%d audit lines, not %d: %q", len(lines), n, lines)
	}
	line := lines[n-1]
	for _, word := range words {
		if !strings.Contains(line+" ", " "+word+" ") {
			t.Errorf("the audit line has no %s: %s", word, line)
		}
	}
	return line
}

// logOf returns what the host's log says about the user, for failure messages.
func logOf(h *suite.Host, user string) string {
	lines, err := h.Log()
	if err != nil {
		return fmt.Sprint(err)
	}
	var about []string
	for _, line := range lines {
		if strings.Contains(line, user) || strings.Contains(line, "latchkey") {
			about = append(about, line)
		}
	}
	return strings.Join(about[max(0, len(about)-20):], "\n")
}

// private returns a container that only this test uses, for tests that would disturb others. The
// distribution is taken from the test's name.
func private(t *testing.T) *suite.Host {
	t.Helper()
	for _, d := range suite.Distributions {
		if strings.Contains(t.Name(), strings.ReplaceAll(d.Name, " ", "_")) {
			h, err := shared.Private(d)
			must(t, err)
			t.Cleanup(func() { must(t, h.Close()) })
			return h
		}
	}
	t.Fatal("no distribution in the test's name")
	return nil
}

// configured returns a server for key and code that reads a latchkey.toml of its own.
func configured(t *testing.T, h *suite.Host, name, toml string) *suite.Server {
	t.Helper()
	path := "/etc/latchkey/" + name + ".toml"
	_, err := h.Exec(toml, "/usr/bin/install", "-m", "644", "/dev/stdin", path)
	must(t, err)
	return ownServer(t, h,
		suite.Config{Name: name, Stack: suite.Stack{"required pam_latchkey.so conf=" + path},
			Options: suite.KeyAndCode.Options})
}
