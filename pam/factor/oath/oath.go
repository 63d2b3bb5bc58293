// Package oath compares the codes that apps and tokens make: TOTP (RFC 6238) and HOTP (RFC 4226).
// What becomes of a code that was found is for its caller.
package oath

import (
	"encoding/base32"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Place is where a code stands among those of a device.
type Place int

// The places.
const (
	Nowhere Place = iota // among none of those that are looked at
	Past                 // its time step or counter was used or passed over
	Current              // it may be accepted
)

// Compare looks for a code among those that the device d makes now. With Current, counter is what
// the state is to keep if the code is accepted. It notes in used what a resynchronization needs.
func Compare(d *record.Device, used *state.Device, code string, now time.Time) (at Place,
	counter uint64, err error) {
	if d.Type == method.HOTP {
		return compareHOTP(d, used, code)
	}
	return compareTOTP(d, used, code, now)
}

// Code is the code of d for a moving factor: a time step or a counter (RFC 4226 section 5.3).
func Code(d *record.Device, moving uint64) (string, error) {
	opts := hotp.ValidateOpts{Digits: otp.Digits(d.Digits)}
	switch d.Algorithm {
	case "SHA1":
		opts.Algorithm = otp.AlgorithmSHA1
	case "SHA256":
		opts.Algorithm = otp.AlgorithmSHA256
	case "SHA512":
		opts.Algorithm = otp.AlgorithmSHA512
	default:
		return "", fmt.Errorf("unknown algorithm %q", d.Algorithm)
	}
	return hotp.GenerateCodeCustom(base32.StdEncoding.EncodeToString(d.Secret), moving, opts)
}
