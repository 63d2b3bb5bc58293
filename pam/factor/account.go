// Package factor is what a login may do with an account: compare a code, charge it or use it up,
// and lock.
package factor

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Errors that callers tell apart.
var (
	// ErrUnenrolled: the user has no record and never had one, and nothing else is wrong.
	ErrUnenrolled = errors.New("no second factor is set up")
	// ErrRecord: the record must not be used, or is missing and should not be.
	ErrRecord = errors.New("record")
	// ErrState: the state is not there, must not be used, or is locked by another process.
	ErrState = errors.New("state")
)

// Account is one user's record and state, together and locked until Close: nothing of either
// changes meanwhile. No account is kept open while a user is asked or a network is waited for.
type Account struct {
	Record *record.Record
	State  *state.File
}

// Open opens the account of name. The error matches one of ErrUnenrolled, ErrRecord and ErrState.
func (k Keyring) Open(u record.User) (*Account, error) {
	// The state is locked before the record is read, so that both are of the same moment. A record
	// without state and a user without either must be told apart, so a missing state is not an
	// error yet.
	st, stateErr := k.States.Open(u.Name)
	rec, err := k.Records.Load(u)
	if err == nil && errors.Is(stateErr, fs.ErrNotExist) {
		// The first enrollment may have made both between the two looks: it makes the state first.
		st, stateErr = k.States.Open(u.Name)
	}
	var read *state.State
	if st != nil {
		read = &st.State
	}
	if err := k.check(u, rec, err, read, stateErr); err != nil {
		if st != nil {
			st.Close()
		}
		return nil, err
	}
	return &Account{Record: rec, State: st}, nil
}

// check reports why what was read of record and state must not be used.
func (k Keyring) check(u record.User, r *record.Record, recordErr error, st *state.State,
	stateErr error) error {
	switch {
	case errors.Is(recordErr, fs.ErrNotExist):
		return k.withoutRecord(u, st, stateErr)
	case recordErr != nil:
		return fmt.Errorf("%w: %w", ErrRecord, recordErr)
	case stateErr != nil:
		return StateError(u.Name, stateErr)
	}
	return match(r, st)
}

// StateError says that name's state cannot be used, and what to do.
func StateError(name string, err error) error {
	if errors.As(err, new(*safefile.NoDirError)) {
		return fmt.Errorf("%w: %w; what to do: enroll doctor", ErrState, err)
	}
	if errors.Is(err, state.ErrSave) || errors.Is(err, safefile.ErrBusy) ||
		errors.Is(err, safefile.ErrGone) {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return fmt.Errorf("%w: %w; to start over run: enroll reset %s", ErrState, err, name)
}

// match refuses a state that was not made with this record, such as a restored old one. A
// state whose first enrollment was interrupted after the record was saved has no enrollment id
// yet, and gets it: the next commit keeps it.
func match(r *record.Record, st *state.State) error {
	if st.Enrollment == (state.EnrollmentID{}) && knowsAll(st, r) {
		st.Enrollment = r.Enrollment
	}
	if st.UID == r.UID && st.Enrollment == r.Enrollment {
		return nil
	}
	return fmt.Errorf("%w: it belongs to another enrollment; to start over run: enroll reset %s",
		ErrState, r.Name)
}

// knowsAll reports whether st was made for r's devices, whose ids are random.
func knowsAll(st *state.State, r *record.Record) bool {
	unknown := func(d record.Device) bool { return st.Device(d.ID) == nil }
	return len(r.Devices) > 0 && !slices.ContainsFunc(r.Devices, unknown)
}

// Close ends the lock.
func (a *Account) Close() { a.State.Close() }

func (a *Account) commit() error { return Commit(a.State) }

// Commit saves a state. The error matches ErrState.
func Commit(f *state.File) error {
	if err := f.Commit(); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// View reads name's record and state for display, also where nothing can be written. Errors are
// those of Open.
func (k Keyring) View(u record.User) (*record.Record, *state.State, error) {
	st, stateErr := k.States.View(u.Name)
	rec, err := k.Records.Load(u)
	if err := k.check(u, rec, err, st, stateErr); err != nil {
		return nil, nil, err
	}
	return rec, st, nil
}
