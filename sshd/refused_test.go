package sshd_test

import (
	"strings"
	"testing"

	"latchkey/enroll/usage"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// enrollAs starts a command line with enroll in it as the user, on a terminal inside the host.
func enrollAs(t *testing.T, h *suite.Host, u *suite.User, line string) *terminal.Terminal {
	t.Helper()
	term, err := terminal.New(h.Shell(as(u, "/bin/sh", "-c", line)...))
	must(t, err)
	t.Cleanup(term.Close)
	return term
}

// says runs such a command line to its end, typing what is asked for, and returns what was seen.
func says(t *testing.T, h *suite.Host, u *suite.User, line string, typed ...[2]string) string {
	t.Helper()
	term := enrollAs(t, h, u, "trap : INT; "+line+"; echo status $?; stty -a")
	for _, step := range typed {
		must(t, term.Expect(step[0]))
		must(t, term.Type(step[1]))
	}
	_, err := term.Exit()
	must(t, err)
	if !strings.Contains(term.Seen(), " echo ") {
		t.Errorf("the terminal does not echo any more: %q", term.Seen())
	}
	return term.Seen()
}

func TestEnrollRefusesImpostersAndGeneratesNothing(t *testing.T) {
	password := [2]string{`Password: `, suite.Password}
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		plain, owner, other := user(t, h), enrolled(t, h), enrolled(t, h)
		script(t, h, "useradd -e 1 expired && echo expired:"+suite.Password+" | chpasswd")
		expired := &suite.User{Name: "expired"}
		before := sums(t, h)
		for name, c := range map[string]struct {
			user  *suite.User
			line  string
			typed [][2]string
			want  string
		}{
			"somebody else": {plain, "enroll --user " + other.Name, nil,
				"only root may name another user"},
			"somebody else's status": {plain, "enroll status --user " + other.Name, nil,
				"only root may name another user"},
			"somebody else, without questions": {plain,
				"enroll add totp --user " + other.Name + " --yes", nil, "for root"},
			"without questions": {plain, "enroll add totp --yes", nil,
				"--yes and --secret-file are for root"},
			"an own secret": {plain,
				"enroll add totp --secret-file /etc/shadow --yes", nil, "for root"},
			"a wrong password": {plain, "enroll",
				[][2]string{{`Password: `, "wrong"}}, "password not accepted"},
			"no password": {plain, "enroll", [][2]string{{`Password: `, ""}},
				"password not accepted"},
			"an expired account": {expired, "enroll", [][2]string{password},
				"cannot be used"},
			"a password without the factor": {owner, "enroll add totp",
				[][2]string{password, {`Code from a device you have`, "000000"}},
				"code not accepted"},
			"a removal without the factor": {owner, "enroll remove phone",
				[][2]string{password, {`Code from a device you have`, ""}}, "code not accepted"},
			"a reset": {owner, "enroll reset " + owner.Name, nil,
				"is for root"},
			"an unlock": {owner, "enroll unlock " + owner.Name, nil,
				"is for root"},
			"a list": {owner, "enroll list", nil, "is for root"},
			"an import": {owner, "enroll import /etc/passwd", nil,
				"is for root"},
			"output into a pipe": {plain, "enroll | cat", nil,
				"output is not a terminal"},
			"output into a file": {plain, "enroll >/tmp/out." + plain.Name, nil,
				"output is not a terminal"},
			"interrupted at the password": {plain, "enroll", [][2]string{{`Password: `, "\x03"}},
				"status "},
			"ended at the password": {plain, "enroll", [][2]string{{`Password: `, "\x04"}},
				"not accepted"},
			"interrupted at the code": {plain, "enroll",
				[][2]string{password, {`the app shows now. Verification code: `, "\x03"}},
				"status "},
			"ended at the code": {plain, "enroll",
				[][2]string{password, {`the app shows now. Verification code: `, "\x04"}},
				"nothing was changed"},
			"wrong codes": {plain, "enroll",
				[][2]string{
					password, {`shows now. Verification code: `, "1"},
					{`shows now. Verification code: `, "2"},
					{`shows now. Verification code: `, "3"},
				}, "nothing was saved"},
		} {
			t.Run(name, func(t *testing.T) {
				seen := says(t, h, c.user, c.line, c.typed...)
				if !strings.Contains(seen, c.want) ||
					strings.Contains(seen, "status 0") && !strings.Contains(c.line, "|") {
					t.Errorf("seen: %q", seen)
				}
				if len(c.typed) < 2 && strings.Contains(seen, "by hand") {
					t.Errorf("a secret was shown: %q", seen)
				}
			})
		}
		if out := script(t, h,
			"ls -A /etc/latchkey/users /var/lib/latchkey/users; sha256sum "+
				"/etc/latchkey/users/*"); strings.Contains(out, plain.Name) ||
			strings.Contains(out, "expired") ||
			!strings.Contains(before, out[strings.LastIndex(strings.TrimSpace(out), "\n")+1:]) {
			t.Errorf("files changed: %s", out)
		}
	})
}

// Only root works for another user, with any command.
func TestNoCommandWorksForAnotherUser(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		u, other := user(t, h), enrolled(t, h)
		record := "sha256sum /etc/latchkey/users/" + other.Name + " /var/lib/latchkey/users/" +
			other.Name
		before := script(t, h, record)
		for _, c := range usage.Commands {
			t.Run(c.Name, func(t *testing.T) {
				line, want := strings.TrimSpace("enroll "+c.Name),
					"only root may name another user"
				switch {
				case c.Root:
					want = "is for root"
				case c.Operand != "":
					line += " phone"
				}
				if c.Root && c.Operand != "" {
					line += " " + other.Name
				}
				if c.Has("user") {
					line += " --user " + other.Name
				}
				if c.Name == "rename" {
					line += " --label mine"
				}
				seen := says(t, h, u, line)
				if !strings.Contains(seen, want) || !strings.Contains(seen, "status 1") {
					t.Errorf("%s: %s", line, seen)
				}
				if after := script(t, h, record); after != before {
					t.Errorf("%s: it was %s and is %s", line, before, after)
				}
			})
		}
	})
}

// A user whose password is wrong, or whose account has expired, changes nothing.
func TestNoCommandChangesAnythingWithoutThePasswordOfALiveAccount(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		u, expired := enrolled(t, h), enrolled(t, h)
		script(t, h, "usermod -e 1 "+expired.Name)
		before := sums(t, h)
		for command, questions := range dialogs {
			// alone it only has something to do for others
			if questions[0].asked != password.asked || command == "enroll" {
				continue
			}
			t.Run(command, func(t *testing.T) {
				seen := says(t, h, u, command, [2]string{password.asked, "wrong"})
				if !strings.Contains(seen, "password not accepted; nothing was changed") {
					t.Errorf("with a wrong password: %s", seen)
				}
				seen = says(t, h, expired, command, [2]string{password.asked, suite.Password})
				if !strings.Contains(seen, "this account cannot be used") {
					t.Errorf("of an expired account: %s", seen)
				}
			})
		}
		if after := sums(t, h); after != before {
			t.Errorf("it was %s and is %s", before, after)
		}
	})
}

func TestAUserWithAFactorAddsAndRemovesDevicesWithPasswordAndCode(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		u := enrolled(t, h)
		password, code := [2]string{`Password: `, suite.Password}, `Code from a device you have`
		term := enrollAs(t, h, u, "enroll add totp --label second")
		for _, step := range [][2]string{password, {code, u.Code()}} {
			must(t, term.Expect(step[0]))
			must(t, term.Type(step[1]))
		}
		must(t, term.Expect(`the app shows now. Verification code: `))
		second := &suite.User{Name: u.Name}
		must(t, second.ReadSecret(term.Seen()))
		must(t, term.Type(second.Code()))
		must(t, term.Expect(`Done: the device "second"`))
		seen := says(t, h, u, "enroll remove phone", password, [2]string{code, u.CodeAt(1)})
		if !strings.Contains(seen,
			"a device cannot be removed with its own code; nothing was changed") {
			t.Fatalf("%q", seen)
		}
		seen = says(t, h, u, "enroll remove phone", password, [2]string{code, second.CodeAt(1)})
		if !strings.Contains(seen, `removed: device "phone"`) {
			t.Fatalf("%q", seen)
		}
		s := server(t, h, suite.PasswordAndCode)
		denied(t, s, suite.Attempt{
			User:     u.Name,
			Password: suite.Password,
			Codes:    []string{u.CodeAt(1)},
		})
		// rather than replayed: it belongs to no device
		audited(t, h, u.Name, 1, "verdict=deny", "reason=wrong")
	})
}

func TestAnotherNameOfTheSameUIDIsTheSamePerson(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		u := user(t, h)
		script(t, h, "useradd -o -u $(id -u "+u.Name+
			") -M -s /bin/sh alias && echo alias:other | chpasswd")
		term := enrollAs(t, h, u, "enroll --user alias")
		must(t, term.Expect(`Password: `))
		must(t, term.Type(suite.Password))
		must(t, term.Expect(`password not accepted`)) // alias's password counts
		term = enrollAs(t, h, u, "enroll --user alias")
		must(t, term.Expect(`Password: `))
		must(t, term.Type("other"))
		must(t, term.Expect(`alias on `))
	})
}
