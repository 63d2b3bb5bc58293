// Package secretfile reads a secret that something else made, in the forms in which people have
// it: one line of base32 or hexadecimal, an otpauth URI, or what Google Authenticator exports.
//
// Errors never quote what they read.
package secretfile

import (
	"time"

	"latchkey/pam/method"
)

// Secret is one account of an app or token.
type Secret struct {
	Bytes []byte
	// Whole reports that the source named all parameters, as a URI does. Otherwise only Bytes are
	// set.
	Whole     bool
	Type      method.Method // method.TOTP or method.HOTP
	Algorithm string        // SHA1, SHA256 or SHA512
	Digits    int
	Period    time.Duration // of TOTP
	Counter   uint64        // of HOTP: the one to expect next
}
