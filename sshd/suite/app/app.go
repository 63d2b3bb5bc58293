// Package app is a user's authenticator app, as far as logins need one: a secret, and what the app
// shows.
package app

import (
	"crypto/rand"
	"encoding/base32"
	"fmt"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/pquerna/otp/totp"
)

// Step is RFC 6238's default time step.
const Step = 30 * time.Second

// NewSecret returns 160 random bits in base32.
func NewSecret() string {
	b := make([]byte, 20)
	_, _ = rand.Read(b)
	return encoding.EncodeToString(b)
}

// encoding is how secrets are written.
var encoding = base32.StdEncoding.WithPadding(base32.NoPadding)

// Bytes returns the secret itself.
func Bytes(secret string) ([]byte, error) { return encoding.DecodeString(secret) }

// byHand is how enroll shows a secret to be typed in.
var byHand = regexp.MustCompile(`by hand: ([A-Z2-7 ]+)`)

// Read takes the secret from what enroll has shown, as a person types it into an app.
func Read(shown string) (string, error) {
	m := byHand.FindStringSubmatch(shown)
	if m == nil {
		return "", fmt.Errorf("no secret to type by hand in %q", shown)
	}
	return strings.ReplaceAll(m[1], " ", ""), nil
}

// Code returns what the app shows at that time.
func Code(secret string, at time.Time) string {
	code, err := totp.GenerateCode(secret, at)
	if err != nil {
		panic("the harness made a bad secret: " + err.Error())
	}
	return code
}

// wrong is how many wrong codes were made: each is another, since the same one again in a login is
// no guess.
var wrong atomic.Uint64

// Wrong returns six digits that are none of the codes of ten steps around now.
func Wrong(secret string) string {
	right := map[string]bool{}
	for i := -5; i <= 5; i++ {
		right[Code(secret, time.Now().Add(time.Duration(i)*Step))] = true
	}
	for {
		if code := fmt.Sprintf("%06d", wrong.Add(1)*7919%1_000_000); !right[code] {
			return code
		}
	}
}
