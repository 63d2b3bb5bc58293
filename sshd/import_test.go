package sshd_test

import (
	"encoding/base32"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"latchkey/sshd/suite"
	"latchkey/sshd/suite/wire"
)

// googleMakes has the real google-authenticator make the user's file. It returns the scratch
// codes.
func googleMakes(t *testing.T, h *suite.Host, u *suite.User, args ...string) (codes []string) {
	t.Helper()
	argv := append([]string{"/usr/bin/google-authenticator", "-f", "-q", "-Q", "NONE", "-e", "5"},
		args...)
	script(t, h, "runuser -u "+u.Name+" -- "+strings.Join(argv, " "))
	file := script(t, h, "cat /home/"+u.Name+"/.google_authenticator")
	u.Secret, _, _ = strings.Cut(file, "\n")
	return regexp.MustCompile(`(?m)^[0-9]{8}$`).FindAllString(file, -1)
}

// imports runs enroll import and returns its output and its exit status.
func imports(t *testing.T, h *suite.Host, args ...string) (said string, status int) {
	t.Helper()
	reply, err := h.Run(wire.Request{Argv: append([]string{"/usr/bin/enroll", "import"}, args...)})
	must(t, err)
	return string(reply.Stdout) + string(reply.Stderr), reply.Exit
}

func TestImportedGoogleUserLogsInWithTheSameAppAndPrintedCodes(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		before, after, u := server(t, h, suite.WithGoogle), server(t, h, suite.PasswordAndCode),
			user(t, h)
		codes := googleMakes(t, h, u, "-t", "-d", "-r", "3", "-R", "30", "-w", "3")
		with := func(code string) suite.Attempt {
			return suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}}
		}
		used := u.Code()
		allowed(t, before, with(used))
		allowed(t, before, with(codes[0]))

		file := "/home/" + u.Name + "/.google_authenticator"
		said, status := imports(t, h, file)
		want := u.Name + `: imported: totp "google", 4 recovery codes; ` +
			"not taken over: RATE_LIMIT 3 30 (here latchkey.toml limits wrong codes)\n"
		if said != want || status != 0 {
			t.Fatalf("status %d: %q, want %q", status, said, want)
		}
		denied(t, after, with(used))
		audited(t, h, u.Name, 1, "verdict=deny", "reason=replayed")
		denied(t, after, with(codes[0]))
		allowed(t, after, with(u.CodeAt(1)))
		allowed(t, after, with(codes[1]))
		audited(t, h, u.Name, 4, "verdict=allow", "method=recovery")
		if said, status := imports(t, h, file); said != u.Name+": already there, unchanged\n" ||
			status != 0 {
			t.Errorf("once more: status %d: %q", status, said)
		}
		denied(t, after, with(codes[1]))
		audited(t, h, u.Name, 5, "verdict=deny", "reason=replayed")
		allowed(t, after, with(codes[2][:4]+" "+codes[2][4:]))
	})
}

// pressed returns what a token with the user's secret shows for a counter.
func pressed(t *testing.T, u *suite.User, counter uint64, digits otp.Digits) string {
	t.Helper()
	code, err := hotp.GenerateCodeCustom(u.Secret, counter,
		hotp.ValidateOpts{Digits: digits, Algorithm: otp.AlgorithmSHA1})
	must(t, err)
	return code
}

func TestImportedGoogleUserWithACounterContinuesFromIt(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		before, after, u := server(t, h, suite.WithGoogle), server(t, h, suite.PasswordAndCode),
			user(t, h)
		googleMakes(t, h, u, "-c", "-u", "-w", "3")
		press := func(counter uint64) suite.Attempt {
			return suite.Attempt{
				User:     u.Name,
				Password: suite.Password,
				Codes:    []string{pressed(t, u, counter, 6)},
			}
		}
		allowed(t, before, press(1))
		allowed(t, before, press(3))
		said, status := imports(t, h, "/home/"+u.Name+"/.google_authenticator")
		if said != u.Name+": imported: hotp \"google\", 5 recovery codes\n" || status != 0 {
			t.Fatalf("status %d: %q", status, said)
		}
		denied(t, after, press(3))
		allowed(t, after, press(4))
	})
}

func TestImportedPamOathUserLogsInWithTheSameAppAndToken(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		users, err := h.Users(4)
		must(t, err)
		app, token, pin, seven := users[0], users[1], users[2], users[3]
		var file strings.Builder
		for i, kind := range []string{
			"HOTP/T30/6 %s - %s", "HOTP/E/8 %s - %s 7", "HOTP %s 1234 %s", "HOTP/E/7 %s - %s",
		} {
			raw := []byte(fmt.Sprintf("secret of user %05d", users[i].UID))
			users[i].Secret = base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(raw)
			fmt.Fprintf(&file, kind+"\n", users[i].Name, hex.EncodeToString(raw))
		}
		path := "/etc/moved.oath"
		_, err = h.Exec(file.String(), "/usr/bin/install", "-m", "600", "/dev/stdin", path)
		must(t, err)
		before := ownServer(t, h, suite.Config{Name: "moved", Stack: suite.Stack{
			"requisite pam_unix.so nodelay",
			"required pam_oath.so usersfile=" + path + " window=5"}})
		after := server(t, h, suite.PasswordAndCode)
		with := func(u *suite.User, code string) suite.Attempt {
			return suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}}
		}
		used := app.Code()
		allowed(t, before, with(app, used))
		allowed(t, before, with(token, pressed(t, token, 9, 8)))

		said, status := imports(t, h, path)
		for _, line := range []string{
			app.Name + `: imported: totp "oath"`, token.Name + `: imported: hotp "oath"`,
			pin.Name + ": not imported: " + path +
				":3: it has a PIN, which latchkey does not support",
			seven.Name + ": not imported: " + path + ":4: 7 digits; only 6 and 8 exist",
		} {
			if !strings.Contains(said, line+"\n") {
				t.Errorf("no line %q in %q", line, said)
			}
		}
		if status != 1 {
			t.Errorf("status %d", status)
		}
		denied(t, after, with(app, used))
		audited(t, h, app.Name, 1, "verdict=deny", "reason=replayed")
		allowed(t, after, with(app, app.CodeAt(1)))
		denied(t, after, with(token, pressed(t, token, 9, 8)))
		allowed(t, after, with(token, pressed(t, token, 10, 8)))
		for _, u := range []*suite.User{pin, seven} {
			out := script(t, h, "/usr/bin/enroll status --user "+u.Name)
			if !strings.Contains(out, "has no second factor") {
				t.Errorf("%s: %s", u.Name, out)
			}
		}
	})
}
