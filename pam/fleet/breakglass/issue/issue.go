// Package issue makes a host's break-glass codes and takes them away, for enroll. A login links
// none of this, so it cannot make one.
package issue

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/breakglass"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// lockWait bounds the wait for a login that uses a code.
const lockWait = 10 * time.Second

// Store is the break-glass codes of the host below root ("" but in tests).
func Store(root string) enrollment.Store {
	return enrollment.Store{Keyring: breakglass.Keyring(root,
		safefile.Patience{Limit: lockWait})}
}

// Codes makes new codes for a user of the host below root, in place of old ones, and ends a lock
// of theirs. The codes are for the user's eyes, once; the host keeps hashes.
func Codes(root string, u record.User) ([]string, error) {
	if err := folders(root); err != nil {
		return nil, err
	}
	codes, set, err := enrollment.NewRecovery()
	if err != nil {
		return nil, err
	}
	s, p := Store(root), enrollment.ByRoot()
	err = s.Replace(p, u, enrollment.Enrollment{Recovery: set})
	if errors.Is(err, factor.ErrState) { // left by one that was killed; no one has seen its codes
		if err = s.Reset(p, u.Name); err == nil {
			err = s.Replace(p, u, enrollment.Enrollment{Recovery: set})
		}
	}
	if err != nil {
		return nil, fmt.Errorf("break-glass codes of %s: %w", u.Name, err)
	}
	if _, err := s.Unlock(p, u, limit.Guesses{}, time.Time{}); err != nil {
		return nil, fmt.Errorf("break-glass codes of %s: %w", u.Name, err)
	}
	return codes, nil
}

// folders makes what a keyring needs, apart from its key.
func folders(root string) error {
	parent, err := safefile.OpenDir(filepath.Dir(root + breakglass.Path))
	if err != nil {
		return err
	}
	defer parent.Close()
	if err := parent.Mkdir(filepath.Base(breakglass.Path)); err != nil {
		return err
	}
	own, err := parent.Sub(filepath.Base(breakglass.Path))
	if err != nil {
		return err
	}
	defer own.Close()
	return errors.Join(own.Mkdir("records"), own.Mkdir("states"))
}

// none reports whether no code was ever made on the host.
func none(root string) bool {
	_, err := os.Lstat(root + breakglass.Path)
	return errors.Is(err, fs.ErrNotExist)
}

// Left returns how many codes a user has left; 0 without any.
func Left(root string, u record.User) (int, error) {
	if none(root) {
		return 0, nil
	}
	r, st, err := breakglass.Keyring(root, safefile.Patience{}).View(u)
	if errors.Is(err, factor.ErrUnenrolled) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	return factor.RecoveryLeft(r, st), nil
}

// Revoke takes all codes away from a user. The error matches fs.ErrNotExist if there were none.
func Revoke(root, name string) error {
	return Store(root).Reset(enrollment.ByRoot(), name)
}

// Names lists the users who have codes, in order.
func Names(root string) ([]string, error) {
	if none(root) {
		return nil, nil
	}
	names, err := breakglass.Keyring(root, safefile.Patience{}).Records.Names()
	slices.Sort(names)
	return names, err
}
