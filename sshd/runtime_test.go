package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// hosts looks at every process that has the module mapped: one thread each, and nothing of the
// login program in it.
func hosts(t *testing.T, h *suite.Host) error {
	t.Helper()
	all, err := h.Processes()
	if err != nil {
		return err
	}
	loaded, logins := 0, 0
	for _, p := range all {
		if strings.HasPrefix(p.Name, "latchkey-login") {
			logins++
			if p.UID != 0 {
				t.Errorf("the login program runs as uid %d", p.UID)
			}
			continue
		}
		files, err := p.Mapped()
		if err != nil {
			continue // the process has ended meanwhile
		}
		list := strings.Join(files, "\n")
		if !strings.Contains(list, "/pam_latchkey.so") {
			continue
		}
		loaded++
		if p.Threads != 1 {
			t.Errorf("%s has %d threads", p.Name, p.Threads)
		}
		if strings.Contains(list, "latchkey-login") || strings.Contains(list, "libgo") {
			t.Errorf("%s has the Go runtime mapped:\n%s", p.Name, list)
		}
	}
	if loaded == 0 || logins == 0 {
		t.Errorf("%d processes with the module and %d login programs: nothing was proved",
			loaded, logins)
	}
	return nil
}

func TestTheGoRuntimeIsNeverInSshd(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		for _, c := range []suite.Config{suite.PasswordAndCode, suite.KeyAndCode} {
			s, u := server(t, h, c), enrolled(t, h)
			a := suite.Attempt{
				User:     u.Name,
				Password: suite.Password,
				Key:      shared.Key,
				Codes:    []string{u.Code()},
			}
			a.AtCode = func() error { return hosts(t, h) }
			allowed(t, s, a).Close()
		}
	})
}

func TestTheGoRuntimeIsNeverInSu(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		term, u := su(t, h)
		must(t, term.Expect(`Password: `))
		must(t, term.Type(suite.Password))
		must(t, term.Expect(`From your app.*Verification code: `))
		must(t, hosts(t, h))
		must(t, term.Type(u.Code()))
		must(t, term.Expect(`uid=\d+\(`+u.Name+`\)`))
	})
}
