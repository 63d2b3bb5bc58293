package sshd_test

import (
	"strings"
	"testing"

	"github.com/pquerna/otp/hotp"

	"latchkey/sshd/suite"
)

// The commands of packaging/doc/moving.md, from Debian 12 to Debian 13: users keep their devices,
// and what was used on the old host is used on the new one.
func TestMovingToANewHostKeepsDevicesAndRevivesNoUsedCode(t *testing.T) {
	t.Parallel()
	before, err := shared.Private(suite.Debian12)
	must(t, err)
	t.Cleanup(func() { must(t, before.Close()) })
	after, err := shared.Private(suite.Debian13)
	must(t, err)
	t.Cleanup(func() { must(t, after.Close()) })

	u, err := before.Named("mover")
	must(t, err)
	must(t, u.Enroll())
	_, err = before.Exec(u.Secret+"\n", "/usr/bin/enroll", "add", "hotp", "--user", u.Name,
		"--secret-file", "-", "--yes")
	must(t, err)
	out, err := before.Exec("", "/usr/bin/enroll", "codes", "--user", u.Name, "--yes")
	must(t, err)
	recovery := printedCode.FindAllString(out, -1)
	with := func(codes ...string) suite.Attempt {
		return suite.Attempt{User: u.Name, Password: suite.Password, Codes: codes}
	}
	token := func(counter uint64) string {
		code, err := hotp.GenerateCode(u.Secret, counter)
		must(t, err)
		return code
	}
	s := server(t, before, suite.PasswordAndCode)
	used := u.Code()
	for _, code := range []string{used, token(0), recovery[0]} {
		allowed(t, s, with(code))
	}

	const passphrase = "correct horse battery\n"
	_, err = before.Exec(passphrase+passphrase, "/usr/bin/enroll", "backup", "/root/latchkey.age")
	must(t, err)
	file, err := before.Exec("", "/usr/bin/base64", "/root/latchkey.age")
	must(t, err)
	_, err = after.Exec(file, "/bin/sh", "-c", "base64 -d >/root/latchkey.age")
	must(t, err)
	_, err = after.Named(u.Name)
	must(t, err)
	s = server(t, after, suite.PasswordAndCode)
	denied(t, s, with(token(1), token(2)))
	out, err = after.Exec(passphrase, "/usr/bin/enroll", "restore", "/root/latchkey.age")
	must(t, err)
	if !strings.Contains(out, "mover: restored: ") {
		t.Fatalf("got %q, want that the user is restored", out)
	}
	for _, code := range []string{used, u.Code(), token(0), recovery[0], recovery[1]} {
		denied(t, s, with(code))
	}
	allowed(t, s, with(token(3), token(4)))
	denied(t, s, with(token(4)))
	allowed(t, s, with(token(5)))
}
