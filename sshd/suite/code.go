package suite

import (
	"time"

	"latchkey/sshd/suite/app"
)

// Code is what the user's app shows now. It stays right for at least one whole step more, since
// one step of drift is allowed.
func (u *User) Code() string { return u.CodeAt(0) }

// CodeAt is what the app shows that many steps from now.
func (u *User) CodeAt(steps int) string {
	return app.Code(u.Secret, time.Now().Add(time.Duration(steps)*app.Step))
}

// WrongCode has six digits and is none of the codes of ten steps around now.
func (u *User) WrongCode() string { return app.Wrong(u.Secret) }

// WrongCodes are as many as a login takes at the most.
func (u *User) WrongCodes() (codes []string) {
	for range 10 {
		codes = append(codes, u.WrongCode())
	}
	return codes
}
