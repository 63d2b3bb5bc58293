package sshd_test

import (
	"os"
	"regexp"
	"strings"
	"testing"

	"latchkey/sshd/suite"
)

func breakGlass(t *testing.T, h *recipeHost) {
	glass, codes := h.glass(t)
	paper := func(n int) func(*suite.User) []string {
		return func(*suite.User) []string { return codes[n : n+1] }
	}
	h.replace(t, "192.0.2.10", office)

	h.follow(t, "password-and-code")
	s := h.own(t)
	h.everybodyElse(t, s, withPassword)
	inTurn(t, s, glass,
		login{"password from the one address", from(office, withPassword), noCode, true, false},
		login{
			"a wrong password from the one address", from(office, withWrong), paper(0), false,
			false,
		},
		login{"password alone from elsewhere", from(outside, withPassword), noCode, false, true},
		login{
			"password and the code of an app from elsewhere", from(outside, withPassword),
			rightCode, false, true,
		},
		login{
			"password and a recovery code from elsewhere", from(outside, withPassword), paper(0),
			true, true,
		},
		login{
			"password and the same recovery code again", from(outside, withPassword), paper(0),
			false, true,
		},
		login{
			"a wrong password and a recovery code", from(outside, withWrong), paper(1), false,
			false,
		},
		login{
			"key from the one address, where keys are off", from(office, keyAlone), noCode, false,
			false,
		},
	)
	s.Stop()
	h.standsOut(t, glass.Name)

	h.follow(t, "key-or-password-and-code")
	s = h.own(t)
	h.everybodyElse(t, s, withKey)
	inTurn(t, s, glass,
		login{"key from the one address", from(office, withKey), noCode, true, false}, login{
			"password from the one address, where both will do", from(office, withPassword),
			noCode, true, false,
		},
		login{
			"a wrong password from the one address, where both will do", from(office, withWrong),
			noCode, false, false,
		},
		login{"key without a code from elsewhere", from(outside, withKey), noCode, false, true},
		login{
			"key and a recovery code from elsewhere", from(outside, withKey), paper(1), true, true,
		},
	)

	h.follow(t, "sudo")
	term := h.at(t, suite.Password, as(glass, "/usr/bin/sudo", "/usr/bin/id")...)
	must(t, term.Expect(`From your recovery codes\. Verification code: `))
	must(t, term.Type(codes[2]))
	must(t, term.Expect(`uid=0`))
}

// glass is the account that the page had made, with a password, recovery codes, and an app whose
// codes are not accepted.
func (h *recipeHost) glass(t *testing.T) (u *suite.User, codes []string) {
	t.Helper()
	script(t, h.Host, "echo 'breakglass:"+suite.Password+"' | chpasswd")
	u = &suite.User{Name: "breakglass", Secret: "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"}
	_, err := h.Exec(u.Secret+"\n",
		"/usr/bin/enroll", "add", "totp", "--user", u.Name, "--label", "app", "--secret-file",
		"-", "--yes")
	must(t, err)
	codes = printedCode.FindAllString(script(t, h.Host, "enroll codes --user breakglass --yes"),
		-1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	return u, codes
}

// inTurn makes the logins of one account one after the other.
func inTurn(t *testing.T, s *suite.Server, u *suite.User, logins ...login) {
	for _, l := range logins {
		t.Run(l.name, func(t *testing.T) { l.try(t, s, u) })
	}
}

// everybodyElse checks that other users are asked, from the one address too.
func (h *recipeHost) everybodyElse(t *testing.T, s *suite.Server, c suite.OpenSSH) {
	t.Run("everybody else", func(t *testing.T) {
		h.try(t, s,
			login{"without a code", from(office, c), noCode, false, true},
			login{"with a wrong code", from(office, c), wrongCode, false, true},
			login{"with a code", from(office, c), rightCode, true, true},
			login{"with a code from elsewhere", from(outside, c), rightCode, true, true},
		)
	})
}

// standsOut checks that what the page says to look for is in every line about the account, and
// that those lines look as the page shows them.
func (h *recipeHost) standsOut(t *testing.T, name string) {
	t.Helper()
	page, err := os.ReadFile(examples + "/break-glass/README.md")
	must(t, err)
	all, err := h.Audit(name, 4)
	must(t, err)
	for _, line := range all {
		if !strings.Contains(line, `user="`+name+`"`) ||
			!strings.Contains(string(page), "\n"+`user="`+name+`"`+"\n") {
			t.Errorf("the page says to look for something else than %s", line)
		}
	}
	varies := regexp.MustCompile(`from="[^"]*"|ms=\d+`)
	for _, shown := range regexp.MustCompile("(?m)^latchkey: .*").FindAllString(string(page), -1) {
		found := false
		for _, line := range all {
			found = found ||
				varies.ReplaceAllString(line, "") == varies.ReplaceAllString(shown, "")
		}
		if !found {
			t.Errorf("the log has no line like %s\nbut\n%s", shown, strings.Join(all, "\n"))
		}
	}
}
