package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

// serviceDropIn is a drop-in with which sshd takes another PAM service.
const serviceDropIn = "/etc/ssh/sshd_config.d/50-name.conf"

// newNamedSite is a site with a second PAM service, and without a running sshd.
func newNamedSite(t *testing.T) *site {
	t.Helper()
	t.Parallel()
	h, err := shared.Private(suite.Debian13)
	must(t, err)
	t.Cleanup(func() { must(t, h.Close()) })
	s := siteOn(t, h)
	s.sshd.Stop()
	s.done("cp -a /etc/pam.d/sshd /etc/pam.d/corp")
	return s
}

// FAULTS 10: since OpenSSH 9.8, sshd may have another PAM service than sshd.
func TestActivationFollowsPAMServiceName(t *testing.T) {
	s := newNamedSite(t)
	for _, name := range []string{"corp", "Corp"} {
		s.done("echo PAMServiceName " + name + " >" + serviceDropIn)
		s.before = s.configuration()
		s.start()
		s.done("enroll activate --yes", "+++ /etc/pam.d/corp", "(corp)")
		denied(t, s.sshd, withCode(s.alice.WrongCode()))
		o := allowed(t, s.sshd, withCode(s.alice.Code()))
		if out, err := o.Output("sudo enroll activate --confirm"); err != nil ||
			!strings.Contains(out, "confirmed by alice") {
			t.Errorf("%s: got %v, %s", name, err, out)
		}
		o.Close()
		s.done("enroll deactivate", "/etc/pam.d/corp: as it was")
		s.asBefore()
		s.sshd.Stop()
		s.done("enroll reset alice")
		must(t, s.alice.Enroll())
	}
}

// In each case someone would get in without a code, or no one would.
func TestActivationRefusesPAMServicesThatWouldNotAskWell(t *testing.T) {
	s := newNamedSite(t)
	for text, c := range map[string]struct{ option, says string }{
		"PAMServiceName other":                    {"", "twice"},
		"PAMServiceName nothing":                  {"", "PAM service nothing"},
		"Match User bob\\n  PAMServiceName corp":  {"", "PAM service corp: it has no pam_latchkey"},
		"Match User bob\\n  PAMServiceName other": {"", "PAM service other: it has no pam_latchkey"},
		"# an option of its command line":         {"PAMServiceName=corp", "PAM service corp"},
	} {
		t.Run(text, func(t *testing.T) {
			s := &site{t: t, Host: s.Host, alice: s.alice}
			s.done("printf '" + text + "\\n' >" + serviceDropIn)
			s.before = s.configuration()
			options := []string{}
			if c.option != "" {
				options = append(options, c.option)
			}
			s.start(options...)
			s.refused("enroll activate --yes", c.says)
			s.asBefore()
			s.sshd.Stop()
		})
	}
}
