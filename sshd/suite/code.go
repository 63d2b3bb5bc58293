package suite

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/pquerna/otp/totp"
)

// step is RFC 6238's default time step.
const step = 30 * time.Second

// Code is what the user's app shows now. It stays right for at least one whole step more, since
// one step of drift is allowed.
func (u *User) Code() string { return u.CodeAt(0) }

// CodeAt is what the app shows that many steps from now.
func (u *User) CodeAt(steps int) string {
	code, err := totp.GenerateCode(u.Secret, time.Now().Add(time.Duration(steps)*step))
	if err != nil {
		panic("the harness made a bad secret: " + err.Error())
	}
	return code
}

// wrongCodes is how many wrong codes were made: each is another, since the same one again in a
// login is no guess.
var wrongCodes atomic.Uint64

// WrongCode has six digits and is none of the codes of ten steps around now.
func (u *User) WrongCode() string {
	right := map[string]bool{}
	for i := -5; i <= 5; i++ {
		right[u.CodeAt(i)] = true
	}
	for {
		if code := fmt.Sprintf("%06d", wrongCodes.Add(1)*7919%1_000_000); !right[code] {
			return code
		}
	}
}

// WrongCodes are as many as a login takes at the most.
func (u *User) WrongCodes() (codes []string) {
	for range 10 {
		codes = append(codes, u.WrongCode())
	}
	return codes
}

// newSecret is 160 random bits in base32.
func newSecret() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b)
}
