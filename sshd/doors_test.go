package sshd_test

import (
	"strings"
	"testing"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
)

// complains reports whether enroll doctor has an error about a check.
func complains(t *testing.T, h *suite.Host, check string) bool {
	t.Helper()
	for _, bad := range doctor(t, h, "") {
		if bad.Check == check {
			return true
		}
	}
	return false
}

// rootByPassword reports whether a user becomes root by sudo with the password alone.
func rootByPassword(t *testing.T, h *suite.Host, u *suite.User, args ...string) bool {
	t.Helper()
	argv := append([]string{"/usr/bin/sudo", "-k", "-S"}, args...)
	reply, err := h.Run(wire.Request{Argv: as(u, argv...), Stdin: []byte(suite.Password + "\n")})
	must(t, err)
	return strings.Contains(string(reply.Stdout), "uid=0(root)")
}

// FAULTS 43: sudo -i uses a PAM service of its own. doctor has an error exactly where that gives
// root without a code.
func TestDoctorJudgesSudoByEveryServiceItUses(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		const line = "sed -i 's/^@include common-auth$/&\\n" +
			"auth required pam_latchkey.so/' /etc/pam.d/"
		_, err := h.Script("set -e\necho 'ALL ALL=(ALL) ALL' >/etc/sudoers.d/all\n" + line +
			"sudo")
		must(t, err)
		u := enrolled(t, h)
		for _, c := range []struct {
			name, script string
			open         bool
		}{
			{"sudo alone", "true", true},
			{"sudo-i falls to other", "mv /etc/pam.d/sudo-i /root/", true},
			{"sudo-i takes sudo in", "printf 'auth include sudo\\naccount include sudo\\n" +
				"session include sudo\\n' >/etc/pam.d/sudo-i", false},
			{"another service", "mv /root/sudo-i /etc/pam.d/root-shell\n" +
				"echo 'Defaults pam_login_service=root-shell' >/etc/sudoers.d/service", true},
			{"one service", "echo 'Defaults pam_login_service=sudo' >/etc/sudoers.d/service",
				false},
		} {
			_, err := h.Script("set -e\n" + c.script)
			must(t, err)
			if rootByPassword(t, h, u, "id") {
				t.Fatalf("%s: sudo gives root for the password alone", c.name)
			}
			if is := rootByPassword(t, h, u, "-i", "id"); is != c.open {
				t.Errorf("%s: sudo -i gives root without a code: got %v, want %v", c.name, is,
					c.open)
			}
			says := complains(t, h, "PAM service sudo-i") || complains(t, h,
				"PAM service root-shell")
			if says != c.open {
				t.Errorf("%s: doctor has an error: got %v, want %v", c.name, says, c.open)
			}
		}
	})
}

// FAULTS 43: doctor has an error exactly where an account line of the module lets an expired
// account in.
func TestDoctorFindsAccountLinesThatLetExpiredAccountsIn(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		for name, c := range map[string]struct {
			account string
			open    bool
		}{
			"none": {"account required pam_unix.so\n", false},
			"required-above": {"account required pam_latchkey.so\n" +
				"account required pam_unix.so\n", false},
			"optional-below": {"account required pam_unix.so\n" +
				"account optional pam_latchkey.so\n", false},
			"sufficient": {"account sufficient pam_latchkey.so\n" +
				"account required pam_unix.so\n", true},
			"jump": {"account [success=1 default=ignore] pam_latchkey.so\n" +
				"account required pam_unix.so\naccount required pam_permit.so\n", true},
			"alone": {"account required pam_latchkey.so\n", true},
			"below-sufficient": {"account sufficient pam_unix.so\n" +
				"account required pam_latchkey.so\n", true},
		} {
			t.Run(name, func(t *testing.T) {
				service := "account-" + name
				u := enrolled(t, h)
				s := ownServer(t, h, suite.Config{Name: service})
				_, err := h.Exec(unixFirst+theCode+c.account+"session required pam_permit.so\n",
					"/usr/bin/tee", "/etc/pam.d/"+service)
				must(t, err)
				h.Lock() // it writes all users' lines
				_, err = h.Script("chage -E 1 " + u.Name)
				h.Unlock()
				must(t, err)
				login := suite.Attempt{User: u.Name, Password: suite.Password,
					Codes: []string{u.Code()}}
				if in := attempt(t, s, login).In(); in != c.open {
					t.Errorf("an expired account gets in: got %v, want %v", in, c.open)
				}
				says := false
				for _, bad := range doctor(t, h, "--service "+service) {
					says = says || strings.Contains(bad.Detail, "pam_latchkey in account")
				}
				if says != c.open {
					t.Errorf("doctor has an error: got %v, want %v", says, c.open)
				}
			})
		}
	})
}
