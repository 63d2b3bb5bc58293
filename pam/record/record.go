// Package record keeps the second factors of users: /etc/latchkey/users.
//
// FORMAT.md beside this file is the format. Only enroll writes records; login reads them.
package record

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"latchkey/pam/method"
	"latchkey/pam/phone"
	"latchkey/pam/state"
)

// User is an account of the system: the name service's spelling of its name, and its number.
type User struct {
	Name string
	UID  uint32
}

// Record is one user's enrollment.
type Record struct {
	Name       string
	UID        uint32
	Enrollment state.EnrollmentID
	Devices    []Device
	Recovery   Recovery
}

// Recovery is a set of recovery codes. Of latchkey's own codes only hashes are kept. Codes
// imported from another module are so short that a hash would hide nothing, so they are sealed
// like a device's secret. The zero value is no set.
type Recovery struct {
	ID     state.SetID
	Salt   []byte
	Hashes [][]byte // at most MaxRecovery
	Codes  []string // imported, 8 digits each, at most MaxRecovery; then there are no hashes
}

// Len returns the number of codes in the set, used or not.
func (r *Recovery) Len() int { return len(r.Hashes) + len(r.Codes) }

// Device is one thing that produces codes, or a security key.
type Device struct {
	ID      state.DeviceID
	Type    method.Method
	Label   string
	Created time.Time
	// Secret is the shared secret, raw; a phone's number in E.164; or a security key's public key,
	// encoded as SSH does it. It is sealed in the file.
	Secret []byte
	// Attested reports whether its maker's attestation has proven that a security key is one.
	Attested bool

	// Parameters of RFC 6238 and RFC 4226; a phone has none.
	Algorithm string        // SHA1, SHA256 or SHA512
	Digits    int           // 6 or 8
	Period    time.Duration // whole seconds; a token has none
}

// Bounds of a device.
const (
	MinSecret = 10 // bytes; RFC 4226 asks for 16, older apps have 10
	MaxSecret = 128
	MaxPeriod = 24 * time.Hour
	MaxLabel  = 64 // bytes

	MaxRecovery  = 64 // codes
	RecoverySalt = 16 // bytes
	RecoveryHash = 32 // bytes
	ImportedCode = 8  // digits
)

// Errors that callers distinguish.
var (
	ErrName  = errors.New("not a user name latchkey accepts")
	ErrNewer = errors.New("written by another version of latchkey")
)

// CheckName refuses names that could lead out of the directory, collide with temporary files, be
// taken for an option or break a line of the log. Everything else is a name, "DOMAIN\user" and
// "user@realm" included.
func CheckName(name string) error {
	bad := name == "" || len(name) > 255 || name[0] == '.' || name[0] == '-' ||
		!utf8.ValidString(name)
	for _, r := range name {
		bad = bad || r == '/' || unicode.IsControl(r)
	}
	if bad {
		return ErrName
	}
	return nil
}

// CheckLabel refuses a label that is not one short piece of printable text.
func CheckLabel(label string) error {
	if label == "" || len(label) > MaxLabel || !utf8.ValidString(label) {
		return fmt.Errorf("a label has 1 to %d bytes of UTF-8", MaxLabel)
	}
	for _, r := range label {
		if !unicode.IsPrint(r) {
			return errors.New("a label has printable characters only")
		}
	}
	return nil
}

// check refuses a record that login could not use or could misread.
func (r *Record) check() error {
	if err := CheckName(r.Name); err != nil {
		return err
	}
	if len(r.Devices) > state.MaxDevices {
		return fmt.Errorf("%d devices; at most %d", len(r.Devices), state.MaxDevices)
	}
	if err := r.Recovery.check(); err != nil {
		return err
	}
	seen := map[string]bool{}
	for i := range r.Devices {
		d := &r.Devices[i]
		if err := d.Check(); err != nil {
			return fmt.Errorf("device %d: %w", i+1, err)
		}
		id := hex.EncodeToString(d.ID[:])
		if seen[id] || seen["label "+d.Label] {
			return fmt.Errorf("device %d: its id or label is there twice", i+1)
		}
		seen[id], seen["label "+d.Label] = true, true
	}
	return nil
}

// Check refuses a device with a parameter out of range.
func (d *Device) Check() error {
	if err := CheckLabel(d.Label); err != nil {
		return err
	}
	if d.Created.IsZero() {
		return errors.New("a device has a time at which it was created")
	}
	if d.Attested && d.Type != method.Key {
		return errors.New("only security keys are attested")
	}
	switch d.Type {
	case method.TOTP:
		if d.Period < time.Second || d.Period > MaxPeriod || d.Period%time.Second != 0 {
			return fmt.Errorf("a period is 1 to %d whole seconds", int(MaxPeriod/time.Second))
		}
		return d.checkCode()
	case method.HOTP:
		if d.Period != 0 {
			return errors.New("a token has no period")
		}
		return d.checkCode()
	case method.Phone:
		return d.checkPhone()
	case method.Key:
		return d.checkKey()
	}
	return fmt.Errorf("unknown type %q", d.Type)
}

// checkCode checks the parameters of devices that compute their own codes.
func (d *Device) checkCode() error {
	switch {
	case d.Algorithm != "SHA1" && d.Algorithm != "SHA256" && d.Algorithm != "SHA512":
		return fmt.Errorf("unknown algorithm %q", d.Algorithm)
	case d.Digits != 6 && d.Digits != 8:
		return fmt.Errorf("%d digits; only 6 and 8 exist", d.Digits)
	case len(d.Secret) < MinSecret || len(d.Secret) > MaxSecret:
		return fmt.Errorf("a secret has %d to %d bytes", MinSecret, MaxSecret)
	}
	return nil
}

func (d *Device) checkPhone() error {
	if !phone.IsNumber(string(d.Secret)) {
		return errors.New("the phone's number is not E.164")
	}
	if d.Algorithm != "" || d.Digits != 0 || d.Period != 0 {
		return errors.New("a phone has no algorithm, digits or period")
	}
	return nil
}

func (r *Recovery) check() error {
	if r.ID == (state.SetID{}) {
		if len(r.Salt) > 0 || r.Len() > 0 {
			return errors.New("recovery codes without an id")
		}
		return nil
	}
	if len(r.Codes) > 0 {
		return r.checkImported()
	}
	if len(r.Salt) != RecoverySalt || len(r.Hashes) == 0 || len(r.Hashes) > MaxRecovery {
		return errors.New("the recovery codes are malformed")
	}
	for _, h := range r.Hashes {
		if len(h) != RecoveryHash {
			return errors.New("the recovery codes are malformed")
		}
	}
	return nil
}

// checkImported refuses codes of another form, and the same code twice, because it would be
// accepted twice.
func (r *Recovery) checkImported() error {
	if len(r.Salt) > 0 || len(r.Hashes) > 0 || len(r.Codes) > MaxRecovery {
		return errors.New("the recovery codes are malformed")
	}
	seen := map[string]bool{}
	for _, c := range r.Codes {
		if len(c) != ImportedCode || strings.Trim(c, "0123456789") != "" || seen[c] {
			return errors.New("an imported recovery code is not 8 digits, or is there twice")
		}
		seen[c] = true
	}
	return nil
}

// Hint returns the only part of a phone's number that is ever shown: its last four digits.
func (d *Device) Hint() string {
	if d.Type != method.Phone || len(d.Secret) < 4 {
		return ""
	}
	return "..." + string(d.Secret[len(d.Secret)-4:])
}

// Find returns the device with that label or, failing that, with that id in hex; nil if there is
// none.
func (r *Record) Find(labelOrID string) *Device {
	for i := range r.Devices {
		if r.Devices[i].Label == labelOrID {
			return &r.Devices[i]
		}
	}
	for i := range r.Devices {
		if hex.EncodeToString(r.Devices[i].ID[:]) == labelOrID {
			return &r.Devices[i]
		}
	}
	return nil
}
