// Package factor knows the second factors: which codes a device makes, and how a code is accepted once and never again.
package factor

import (
	"crypto/subtle"
	"encoding/base32"
	"fmt"
	"time"

	"github.com/pquerna/otp"
	"github.com/pquerna/otp/hotp"

	"latchkey/pam/record"
)

// drift is how many time steps a device's clock may be off, to either side (RFC 6238 section 5.2).
const drift = 1

// Step is the time step (RFC 6238's T) of d at the time t.
func Step(d *record.Device, t time.Time) uint64 {
	return uint64(max(t.Unix(), 0)) / uint64(d.Period/time.Second)
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

// FindStep looks for the time step around now, at most reach steps away, whose code this is. Several steps can have the
// same code: then it is the latest. It takes the same time whichever step matches.
func FindStep(d *record.Device, code string, now time.Time, reach uint64) (step uint64, found bool, err error) {
	middle := Step(d, now)
	for s := middle - min(reach, middle); s <= middle+reach; s++ {
		want, err := Code(d, s)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, found = s, true
		}
	}
	return step, found, nil
}

// Confirm looks for the time step of the first code of a device that was just set up: one that would be accepted at a login. If there
// is none, drift is by how many seconds the device's clock is fast (slow: less than 0), as far as an hour, with the usual 30 seconds a
// step, or 0 if that is not what is wrong.
func Confirm(d *record.Device, code string, now time.Time) (step uint64, found bool, driftSeconds int64, err error) {
	if step, found, err = FindStep(d, code, now, drift); err != nil || found {
		return step, found, 0, err
	}
	const hour = 120 // steps
	wrong, known, err := FindStep(d, code, now, hour)
	if err != nil || !known {
		return 0, false, 0, err
	}
	return 0, false, (int64(wrong) - int64(Step(d, now))) * int64(d.Period/time.Second), nil
}
