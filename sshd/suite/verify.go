package suite

import (
	"fmt"

	"latchkey/pam/twilio/standin"
)

// authority is where a host keeps the authority of its stand-in.
const authority = "/etc/latchkey/verify-ca.pem"

// Verify starts a stand-in for Twilio Verify on this side and makes it the host's, in place of
// any it had. The caller closes it.
func (h *Host) Verify(o standin.Options) (*standin.Server, error) {
	v, err := standin.Start(o)
	if err != nil {
		return nil, err
	}
	if err := h.useVerify(v); err != nil {
		v.Close()
		return nil, err
	}
	return v, nil
}

func (h *Host) useVerify(v *standin.Server) error {
	if _, err := h.Exec(v.Settings().CA, "/usr/bin/install", "-m", "644", "/dev/stdin",
		authority); err != nil {
		return err
	}
	_, err := h.Exec(v.TOML(authority), "/usr/bin/install", "-m", "600", "/dev/stdin",
		"/etc/latchkey/twilio.toml")
	return err
}

// EnrollPhone saves a phone as an administrator's script does.
func (u *User) EnrollPhone(number string) error {
	_, err := u.host.Exec("", "/usr/bin/enroll", "add", "phone", "--user", u.Name, "--label",
		"mobile", "--number", number, "--yes")
	return err
}

// Number makes a number that no other user has.
func (u *User) Number() string { return fmt.Sprintf("+1555%07d", u.UID) }
