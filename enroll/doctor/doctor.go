// Package doctor looks at a machine as it is: would a login work, and could one slip past?
//
// It only looks. What it asks is sshd itself (sshd -T), PAM's files (package stack), latchkey's
// own files, the kernel's clock and, where phones are used, Twilio Verify.
package doctor

import (
	"context"
	"os/exec"
	"slices"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/policy"
	"latchkey/pam/twilio/protocol"
)

// Doctor is one examination of the machine below Root.
type Doctor struct {
	Root    string // "" but in tests
	Service string // the PAM service to look at; "sshd": sshd, its services, and all others that ask for codes
	Clock   func() time.Time
	Keyring factor.Keyring
	// LookUp finds a user's uid by name.
	LookUp func(name string) (uid uint32, err error)
	// Group is why it cannot be told who is in a group, or behind "@" a netgroup; nil in place
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
	// Pause waits, to see whether what is so stays so.
	Pause func(time.Duration)
	// Probe tries Twilio Verify without sending anything.
	Probe func() protocol.Answer
}

// Run looks at everything.
func (d Doctor) Run() []Finding {
	found := d.checkPolicy(policy.DefaultPath)
	found = append(found, d.checkInstallation()...)
	found = append(found, d.checkRecords()...)
	found = append(found, d.checkLocks()...)
	found = append(found, d.checkLogins(d.Service)...)
	found = append(found, checkClock(clockState))
	if d.phonesWanted() {
		found = append(found, d.checkTwilio()...)
	}
	return distinct(found)
}

// distinct drops what was found twice: services share files.
func distinct(all []Finding) []Finding {
	var kept []Finding
	for _, f := range all {
		if !slices.Contains(kept, f) {
			kept = append(kept, f)
		}
	}
	return kept
}
