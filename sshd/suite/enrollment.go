package suite

import (
	"encoding/hex"
	"fmt"
	"strings"

	"latchkey/sshd/suite/app"
)

// Enroll gives the user a new secret and saves it with `enroll`, as an administrator's script
// does.
func (u *User) Enroll(args ...string) error {
	u.Secret = app.NewSecret()
	argv := append([]string{"/usr/bin/enroll", "add", "totp", "--user", u.Name, "--label",
		"phone", "--secret-file", "-", "--yes"}, args...)
	_, err := u.host.Exec(u.Secret+"\n", argv...)
	return err
}

// ReadSecret takes the secret from what enroll has shown, as a person types it into an app.
func (u *User) ReadSecret(shown string) error {
	secret, err := app.Read(shown)
	if err == nil {
		u.Secret = secret
	}
	return err
}

// CodeOf is the code of the app into which the secret was typed that enroll has shown.
func (u *User) CodeOf(shown string) (string, error) {
	if err := u.ReadSecret(shown); err != nil {
		return "", err
	}
	return u.Code(), nil
}

// EnrollGoogle saves the same or a new secret as google-authenticator(1) does by default: a code
// works once, three steps.
func (u *User) EnrollGoogle() error {
	if u.Secret == "" {
		u.Secret = app.NewSecret()
	}
	file := "/home/" + u.Name + "/.google_authenticator"
	text := u.Secret + "\n\" RATE_LIMIT 3 30\n\" WINDOW_SIZE 3\n\" DISALLOW_REUSE\n\" TOTP_AUTH\n"
	_, err := u.host.Script(fmt.Sprintf("set -e\numask 077\ncat >%s <<'END'\n%sEND\n"+
		"chown %d:%d %s\nchmod 400 %s\n", file, text, u.UID, u.UID, file, file))
	return err
}

// EnrollOath saves the same or a new secret for pam_oath.
func (u *User) EnrollOath() error {
	if u.Secret == "" {
		u.Secret = app.NewSecret()
	}
	raw, err := app.Bytes(u.Secret)
	if err != nil {
		return err
	}
	line := strings.Join([]string{"HOTP/T30/6", u.Name, "-", hex.EncodeToString(raw)}, "\t")
	_, err = u.host.Script("umask 077\ncat >>/etc/users.oath <<'END'\n" + line + "\nEND\n")
	return err
}
