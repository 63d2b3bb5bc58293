// Package testroot makes the surroundings of latchkey for tests: a small root directory with
// latchkey's directories, a policy and enrolled users, below t.TempDir(). Only tests import it.
package testroot

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Root is the directory that stands for "/".
type Root string

// Noon is the time at which most tests take place: in the middle of a 30-second step.
var Noon = time.Date(2027, 1, 31, 12, 0, 15, 0, time.UTC)

// New makes a root with latchkey's directories and nothing in them.
func New(t testing.TB) Root {
	t.Helper()
	root := Root(t.TempDir())
	root.Fill(t)
	return root
}

// Fill makes latchkey's directories in an existing root, regardless of the umask.
func (r Root) Fill(t testing.TB) {
	t.Helper()
	for _, dir := range []string{
		"", "dev", "etc", "etc/latchkey", "etc/latchkey/users", "var", "var/lib",
		"var/lib/latchkey", "var/lib/latchkey/users",
	} {
		Must(t, os.MkdirAll(r.Join(dir), 0o700))
		Must(t, os.Chmod(r.Join(dir), 0o755))
	}
}

// Join returns the path of name in r.
func (r Root) Join(name string) string { return filepath.Join(string(r), name) }

// Record, State and Key return the paths of a user's two files and of the host key.
func (r Root) Record(name string) string { return string(r) + "/etc/latchkey/users/" + name }
func (r Root) State(name string) string  { return string(r) + "/var/lib/latchkey/users/" + name }
func (r Root) Key() string               { return r.Join("var/lib/latchkey/key") }

// Keyring returns the keyring of r, with enough patience for a crowd.
func (r Root) Keyring() factor.Keyring {
	return r.KeyringWaiting(safefile.Patience{Limit: time.Minute})
}

// KeyringWaiting returns the keyring of r that waits for locks with this patience.
func (r Root) KeyringWaiting(patience safefile.Patience) factor.Keyring {
	return factor.NewKeyring(string(r), patience)
}

// Store returns the records and states of r to be changed as enroll changes them.
func (r Root) Store() enrollment.Store { return enrollment.Store{Keyring: r.Keyring()} }

// Policy writes latchkey.toml.
func (r Root) Policy(t testing.TB, text string) {
	t.Helper()
	path := r.Join("etc/latchkey/latchkey.toml")
	Must(t, os.WriteFile(path, []byte(text), 0o644))
	Must(t, os.Chmod(path, 0o644))
}

// Enroll gives name these devices, in place of any record and state that exist, in enroll's order:
// state first.
func (r Root) Enroll(t testing.TB, name string, uid uint32,
	devices ...record.Device) *record.Record {
	t.Helper()
	rec := &record.Record{Name: name, UID: uid, Devices: devices}
	for i, d := range devices {
		sum := sha256.Sum256(append(d.Secret, byte(i)))
		copy(rec.Enrollment[:], sum[:])
	}
	r.Save(t, rec)
	return rec
}

// Save writes a record and a fresh state that goes with it.
func (r Root) Save(t testing.TB, rec *record.Record) {
	t.Helper()
	st := state.State{UID: rec.UID, Enrollment: rec.Enrollment}
	for _, d := range rec.Devices {
		st.Devices = append(st.Devices, state.Device{ID: d.ID})
	}
	k := r.Keyring()
	Must(t, k.States.Exclusive(func() error {
		if err := k.States.Create(rec.Name, st); err != nil {
			return err
		}
		return k.Records.Save(rec)
	}))
}

// TOTP returns an authenticator app with the usual parameters: SHA1, 6 digits, 30 seconds.
// Everything about it follows from its label.
func TOTP(label string) record.Device {
	sum := sha256.Sum256([]byte(label))
	d := record.Device{
		Type: method.TOTP, Label: label, Created: Noon.Truncate(time.Second), Secret: sum[:20],
		Algorithm: "SHA1", Digits: 6, Period: 30 * time.Second,
	}
	copy(d.ID[:], sum[20:])
	return d
}

// Code returns the code that d shows at the time at.
func Code(t testing.TB, d record.Device, at time.Time) string {
	t.Helper()
	code, err := oath.Code(&d, oath.Step(&d, at))
	Must(t, err)
	return code
}

// WrongCode returns a code of the right length that no device shows within two steps of at.
func WrongCode(t testing.TB, at time.Time, devices ...record.Device) string {
	t.Helper()
	return WrongCodes(t, 1, at, devices...)[0]
}

// WrongCodes returns n different wrong codes.
func WrongCodes(t testing.TB, n int, at time.Time, devices ...record.Device) (codes []string) {
	t.Helper()
	for i := 0; len(codes) < n; i++ {
		if code := fmt.Sprintf("%06d", i*111111%999983); !shown(t, code, at, devices) {
			codes = append(codes, code)
		}
	}
	return codes
}

func shown(t testing.TB, code string, at time.Time, devices []record.Device) bool {
	for i := range devices {
		_, found, err := oath.FindStep(&devices[i], code, at, 2)
		Must(t, err)
		if found {
			return true
		}
	}
	return false
}

// Read returns a file's bytes.
func Read(t testing.TB, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	Must(t, err)
	return data
}

// Write puts bytes into a file of mode 0600 in place.
func Write(t testing.TB, path string, data []byte) {
	t.Helper()
	Must(t, os.WriteFile(path, data, 0o600))
}

// Unchanged remembers the file path and, when the test ends, demands that it is byte for byte the
// same.
func Unchanged(t testing.TB, path string) {
	t.Helper()
	before := Read(t, path)
	t.Cleanup(func() {
		if after, err := os.ReadFile(path); err != nil || !bytes.Equal(before, after) {
			t.Errorf("%s was changed (%v)", filepath.Base(path), err)
		}
	})
}

// Must ends the test if a step that is not under test fails.
func Must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
