// Package doctor looks at a machine as it is: would a login work, and could one slip past?
//
// It only looks. What it asks is sshd itself (sshd -T), PAM's files (package stack), latchkey's
// own files, the kernel's clock and, where phones are used, Twilio Verify.
package doctor

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/many"
	"latchkey/pam/record"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/settings"
)

// Doctor is one examination of the machine below Root.
type Doctor struct {
	Root string // "" but in tests and for a preview
	// Preview says that Root is this machine as it will be: users and networks are its own.
	Preview bool
	// the PAM service to look at; "sshd": sshd, its services, and all others that ask for codes
	Service string
	Clock   func() time.Time
	Keyring factor.Keyring
	// LookUp finds a user by name, and how the name service spells it.
	LookUp func(name string) (record.User, error)
	// Group is why the members of a group, or behind "@" a netgroup, cannot be told; nil in place
	// of it: the files below Root say.
	Group func(name string) error
	// Remedy is what to do about an error of the packages below; empty if it knows nothing
	// better.
	Remedy func(err error) string
	// SSHD makes a command that runs sshd with these arguments; nil: the one below Root.
	SSHD func(ctx context.Context, args ...string) *exec.Cmd
	// Bound is how long sshd may be asked; 0: 8 seconds.
	Bound time.Duration
	// Progress, if set, is told how many questions sshd has answered, of how many.
	Progress func(asked, all int)
	Reading  many.Told // how many records are read
	// Pause waits, to see whether what is so stays so.
	Pause func(time.Duration)
	// Fleet looks at the host's part in its fleet; nil: it is in none.
	Fleet func() []Finding
	// Probe tries Twilio Verify without sending anything.
	Probe func() protocol.Answer

	// of a run, looked at once
	users  func() ([]enrolled, error)
	server func() sshdReport
}

// system is the root of the machine whose users and networks count.
func (d Doctor) system() string {
	if d.Preview {
		return ""
	}
	return d.Root
}

// phonesWanted reports whether there is anything of Twilio to check: a host without twilio.toml
// uses no phones.
func (d Doctor) phonesWanted() bool {
	_, err := os.Lstat(d.Root + settings.DefaultPath)
	return !errors.Is(err, fs.ErrNotExist)
}
