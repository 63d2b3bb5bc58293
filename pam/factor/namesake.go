package factor

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// MissingError says that a user's record is missing while the state that went with it is there:
// the record was lost, not never made. It matches ErrRecord.
type MissingError struct{ Name, Path string }

func (e *MissingError) Error() string {
	return fmt.Sprintf("record: %s/%s is missing while its state is there; put it back, or "+
		"start again: enroll reset %s",
		e.Path, e.Name, e.Name)
}

func (e *MissingError) Is(target error) bool { return target == ErrRecord }

// NamesakeError says that a user without a record has the uid of one who is enrolled: a renamed
// account, or a second name. It matches ErrRecord. Only the administrator is told the other name.
type NamesakeError struct {
	Name, Other string
	UID         uint32
}

func (e *NamesakeError) Error() string {
	return fmt.Sprintf("record: uid %d is enrolled as %q; if that account was renamed: enroll "+
		"reset %s, then enroll %s",
		e.UID, e.Other, e.Other, e.Name)
}

func (e *NamesakeError) Is(target error) bool { return target == ErrRecord }

// withoutRecord says what is wrong with a user who has no record: ErrUnenrolled if nothing is. A
// state that was never part of a whole enrollment (a ticket, a proof of a number, an enrollment
// that was interrupted) has no enrollment id.
func (k Keyring) withoutRecord(u record.User, st *state.State, stateErr error) error {
	switch {
	case stateErr == nil && st.Enrollment != state.EnrollmentID{}:
		return &MissingError{u.Name, k.Records.String()}
	case stateErr != nil && !errors.Is(stateErr, fs.ErrNotExist):
		return fmt.Errorf("%w: there is no record, and %w", ErrState, stateErr)
	}
	other, err := k.Namesake(u)
	switch {
	case err != nil:
		return fmt.Errorf("%w: is uid %d enrolled under another name? %w", ErrRecord, u.UID, err)
	case other != "":
		return &NamesakeError{u.Name, other, u.UID}
	}
	return ErrUnenrolled
}

// Namesake returns another name that is enrolled with uid; "" if there is none. It opens a few
// files where the index of uids is complete, and reads every record and state where it is not.
func (k Keyring) Namesake(u record.User) (string, error) {
	if k.Owners == nil {
		return "", nil
	}
	candidates, err := k.candidates(u.UID)
	if err != nil {
		return "", err
	}
	for _, other := range candidates {
		if other != u.Name && k.MayHave(other, u.UID) {
			return other, nil
		}
	}
	return "", nil
}

func (k Keyring) candidates(uid uint32) ([]string, error) {
	stamp, err := k.Stamp()
	if err != nil {
		return nil, err
	}
	if k.Owners.Complete(stamp) {
		return k.Owners.Names(uid)
	}
	all, err := k.Known()
	return slices.DeleteFunc(all, func(name string) bool {
		return !slices.Contains(k.UIDs(name),
			uid)
	}), err
}

// MayHave reports whether other's record, or if that is lost other's state, is for uid. What
// cannot be read may be.
func (k Keyring) MayHave(other string, uid uint32) bool {
	if got, err := k.Records.UID(other); !errors.Is(err, fs.ErrNotExist) {
		return err != nil || got == uid
	}
	st, err := k.States.Peek(other)
	if err != nil {
		return !errors.Is(err, fs.ErrNotExist)
	}
	return st.UID == uid && st.Enrollment != state.EnrollmentID{}
}

// UIDs has the uid in name's record or, if no record can be read, in the state; it is empty if
// neither can be read. What cannot be read denies its own user only.
func (k Keyring) UIDs(name string) []uint32 {
	if uid, err := k.Records.UID(name); err == nil {
		return []uint32{uid}
	}
	if st, err := k.States.Peek(name); err == nil && st.Enrollment != (state.EnrollmentID{}) {
		return []uint32{st.UID}
	}
	return nil
}

// Names lists, sorted, the users that have a record, and those whose record is missing while their
// state is there.
func (k Keyring) Names() ([]string, error) { return k.names(k.lost) }

// names lists, sorted, the users that have a record, and those that have a state alone that counts.
func (k Keyring) names(counts func(name string) bool) ([]string, error) {
	all, err := k.Records.Names()
	if err != nil {
		return nil, err
	}
	states, err := k.States.Names()
	if err != nil {
		return nil, err
	}
	records := len(all)
	for _, name := range states {
		if _, found := slices.BinarySearch(all[:records], name); !found && counts(name) {
			all = append(all, name)
		}
	}
	slices.Sort(all)
	return all, nil
}

// lost reports whether name, who has no record, had one. A state that cannot be read may have been
// of one.
func (k Keyring) lost(name string) bool {
	st, err := k.States.Peek(name)
	return err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil &&
		st.Enrollment != state.EnrollmentID{}
}

// Known lists, sorted, the users that have a record or a state.
func (k Keyring) Known() ([]string, error) {
	return k.names(func(string) bool { return true })
}

// Stamp changes whenever a record or state is made, replaced or removed, by enroll or by anything
// else.
func (k Keyring) Stamp() (string, error) {
	records, err := k.Records.Stamp()
	if err != nil {
		return "", err
	}
	states, err := k.States.Stamp()
	return records + " " + states, err
}
