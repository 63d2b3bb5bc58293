package factor

import (
	"fmt"

	"latchkey/pam/owner"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Keyring is all users' records and states: files of this host, or what a service read from the
// database of a fleet.
type Keyring struct {
	Records Records
	States  States
	Host    States       // of what is counted for the whole host, or fleet
	Owners  *owner.Index // nil: uids say nothing about who a user is
}

// Records keeps what users have. record.Store, whose methods these are, says what each of them
// does and which errors it returns.
type Records interface {
	Load(u record.User) (*record.Record, error)
	Save(r *record.Record) error
	Remove(name string) error
	Names() ([]string, error)
	UID(name string) (uint32, error)
	NumberID(number string) ([8]byte, error)
	TrustTag(text string) ([8]byte, error)
	CheckKey() error
	Sweep() error
	Stamp() (string, error)
	fmt.Stringer // where they are
}

// States keeps what changes at login. state.Store, whose methods these are, says what each of them
// does and which errors it returns.
type States interface {
	Open(name string) (*state.File, error)
	View(name string) (*state.State, error)
	Peek(name string) (*state.State, error)
	Names() ([]string, error)
	Create(name string, st state.State) error
	Remove(name string) error
	Lock(name string) (*state.Lock, error)
	Exclusive(change func() error) error
	CopiedOnWrite(name string) (bool, error)
	Sweep() error
	Stamp() (string, error)
	fmt.Stringer // where they are
}

// NewKeyring is the keyring below root ("" for the system's), whose locks are waited for with
// patience.
func NewKeyring(root string, patience safefile.Patience) Keyring {
	return Keyring{
		Records: record.Store{Path: root + "/etc/latchkey/users",
			KeyPath: root + "/var/lib/latchkey"},
		States: state.Store{Path: root + "/var/lib/latchkey/users", Patience: patience},
		Host:   state.Store{Path: root + "/var/lib/latchkey", Patience: patience},
		Owners: &owner.Index{Path: root + "/var/lib/latchkey/uids"},
	}
}
