package enrollment

import (
	"errors"
	"fmt"
	"io"
	"io/fs"

	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Reset removes everything name has, readable or not, in the reverse of enroll's order: after a
// crash at any instant there is the old enrollment or none. It takes root. The error matches
// fs.ErrNotExist if there was nothing, and safefile.ErrInForce or ErrHalf if something was removed
// all the same.
func (s Store) Reset(p Proof, name string) error {
	if err := p.allowsAll(); err != nil {
		return err
	}
	if err := record.CheckName(name); err != nil {
		return err
	}
	return s.Exclusive(func() error {
		defer s.release(name).Close()
		recordErr := s.Records.Remove(name)
		if !isGone(recordErr) {
			return recordErr
		}
		stateErr := s.States.Remove(name)
		if !isGone(stateErr) && errors.Is(recordErr, fs.ErrNotExist) {
			return stateErr
		}
		if !isGone(stateErr) {
			return fmt.Errorf("%w: %w", ErrHalf, stateErr)
		}
		return resetError(recordErr, stateErr)
	})
}

// release locks name's state and, if possible, removes the enrollment id from it, so that the
// record may go. A login under way keeps its state until its verdict. One that hangs with it must
// not stop a reset, so the reset then goes on without the lock.
func (s Store) release(name string) io.Closer {
	if st, err := s.States.Open(name); err == nil {
		st.Enrollment = state.EnrollmentID{}
		st.Commit()
		return st
	}
	lock, _ := s.States.Lock(name)
	return lock
}

// isGone reports whether a file that was to be removed is no longer there.
func isGone(err error) bool {
	return err == nil || errors.Is(err, fs.ErrNotExist) || errors.Is(err, safefile.ErrInForce)
}

// resetError returns the error of a reset after which there is neither record nor state.
func resetError(recordErr, stateErr error) error {
	if errors.Is(recordErr, safefile.ErrInForce) {
		return recordErr
	}
	if errors.Is(stateErr, fs.ErrNotExist) && recordErr == nil {
		return nil
	}
	return stateErr
}
