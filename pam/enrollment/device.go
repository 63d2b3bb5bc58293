package enrollment

import (
	"crypto/rand"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
)

// NewTOTP returns a TOTP device with a random id.
func NewTOTP(
	label string, secret []byte, algorithm string, digits int, period time.Duration, now time.Time,
) record.Device {
	d := record.Device{
		Type: method.TOTP, Label: label, Created: now, Secret: secret,
		Algorithm: algorithm, Digits: digits, Period: period,
	}
	rand.Read(d.ID[:])
	return d
}

// NewHOTP returns a token with a counter and a random id.
func NewHOTP(
	label string, secret []byte, algorithm string, digits int, now time.Time) record.Device {
	d := NewTOTP(label, secret, algorithm, digits, 0, now)
	d.Type = method.HOTP
	return d
}

// NewPhone returns a phone with a random id. The number is in E.164.
func NewPhone(label, number string, now time.Time) record.Device {
	d := record.Device{Type: method.Phone, Label: label, Created: now, Secret: []byte(number)}
	rand.Read(d.ID[:])
	return d
}

// NewKey returns a security key with a random id.
func NewKey(label string, key sshkey.Key, now time.Time) record.Device {
	d := record.Device{Type: method.Key, Label: label, Created: now, Secret: []byte(key.Blob)}
	rand.Read(d.ID[:])
	return d
}

// NewSecret returns a random secret as long as the hash of algorithm, as RFC 6238 section 5.1
// recommends.
func NewSecret(algorithm string) []byte {
	sizes := map[string]int{"SHA256": 32, "SHA512": 64}
	secret := make([]byte, max(20, sizes[algorithm]))
	rand.Read(secret)
	return secret
}
