package backup

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"

	"filippo.io/age"

	"latchkey/pam/many"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Source is a backup that was read to its end, and found whole, so that it can be restored.
type Source struct {
	Backup
	Sum   string // SHA-256 of the file
	file  *os.File
	with  age.Identity // the file's own key
	codec record.Codec
	users []fingerprint // in their order
}

// fingerprint identifies a user as the one that was read before.
type fingerprint struct {
	name string
	sum  [sha256.Size]byte
}

func fingerprintOf(u User) fingerprint {
	text := fmt.Appendf(nil, "%d %d ", len(u.Record), len(u.State))
	return fingerprint{u.Name, sha256.Sum256(append(append(text, u.Record...), u.State...))}
}

// Open reads the backup at path. Errors may match ErrOpen or ErrNotWhole.
func Open(path string, with []age.Identity) (*Source, error) {
	f, err := seekable(path)
	if err != nil {
		return nil, err
	}
	s := &Source{file: f}
	if err := s.open(with); err != nil {
		f.Close()
		return nil, err
	}
	return s, nil
}

// Close closes the file.
func (s *Source) Close() { s.file.Close() }

// seekable opens a file to be read twice. What can be read only once is copied first, sealed as it
// is.
func seekable(path string) (*os.File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if _, err := f.Seek(0, io.SeekStart); err == nil {
		return f, nil
	}
	defer f.Close()
	once, err := os.CreateTemp("", "enroll-restore-*")
	if err != nil {
		return nil, err
	}
	os.Remove(once.Name())
	if _, err := io.Copy(once, f); err != nil {
		once.Close()
		return nil, err
	}
	_, err = once.Seek(0, io.SeekStart)
	return once, err
}

// open reads all of the file, and opens every record with the key that is in it.
func (s *Source) open(with []age.Identity) error {
	header, err := age.ExtractHeader(s.file)
	if err != nil {
		return notOpened(err)
	}
	key, err := age.DecryptHeader(header, with...) // once: a passphrase takes a second each time
	if err != nil {
		return notOpened(err)
	}
	s.with = age.NewInjectedFileKeyIdentity(key)
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	hash := sha256.New()
	b, err := read(io.TeeReader(s.file, hash), s.check, s.with)
	if err != nil {
		return err
	}
	s.Backup, s.Sum = *b, hex.EncodeToString(hash.Sum(nil))
	return nil
}

// check notes users, and finds out whether each can be restored.
func (s *Source) check(b *Backup, users []User) (err error) {
	if s.codec, err = record.ReadKey(b.Key); err != nil {
		return fmt.Errorf("%w: key: %v", ErrNotWhole, err)
	}
	for _, u := range users {
		s.users = append(s.users, fingerprintOf(u))
	}
	return many.Each(users, runtime.GOMAXPROCS(0), func(u User) error {
		_, err := s.decode(u)
		return err
	})
}

// decode opens a user's record with the key beside it.
func (s *Source) decode(u User) (of *saved, err error) {
	of = &saved{Outcome: Outcome{User: u.Name}}
	if of.record, err = s.codec.Decode(u.Record); err == nil {
		of.state, err = state.Decode(u.State)
	}
	if err == nil && (of.record.Name != u.Name || of.state.UID != of.record.UID ||
		of.state.Enrollment != of.record.Enrollment) {
		err = errors.New("record and state are not of one enrollment")
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %v", ErrNotWhole, u.Name, err)
	}
	return of, nil
}

// again reads the users once more, each as it was read before, and passes on the one with that
// name or, without one, all.
func (s *Source) again(only string, pass func(some []*saved) error) error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	left := s.users
	_, err := read(s.file, func(_ *Backup, users []User) error {
		for _, u := range users {
			if len(left) == 0 || fingerprintOf(u) != left[0] {
				return errChanged
			}
			left = left[1:]
		}
		var all []*saved
		for _, u := range users {
			if only != "" && u.Name != only {
				continue
			}
			of, err := s.decode(u)
			if err != nil {
				return err
			}
			all = append(all, of)
		}
		return pass(all)
	}, s.with)
	if err == nil && len(left) > 0 {
		err = errChanged
	}
	return err
}

// errChanged says that a file is not the one that was found whole.
var errChanged = errors.New("the file was changed meanwhile")

// has reports whether the backup has a user.
func (s *Source) has(name string) bool {
	return slices.ContainsFunc(s.users, func(u fingerprint) bool { return u.name == name })
}
