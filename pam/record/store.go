package record

import (
	"errors"
	"fmt"
	"sort"
	"strconv"
	"strings"

	"latchkey/pam/safefile"
)

// Store is where the records and the host key are kept.
type Store struct {
	Path    string // /etc/latchkey/users
	KeyPath string // the directory of the host key, /var/lib/latchkey

	held *held // nil: both are opened for each record
}

// Load reads the record of u and checks that it belongs to u: the file's name, the name in it and
// the uid must agree. The error matches fs.ErrNotExist exactly if the directory was checked and
// has no such file; otherwise it may match ErrName, ErrNewer or ErrNoKey. After any other error,
// the record must not be used.
func (s Store) Load(u User) (*Record, error) {
	if err := CheckName(u.Name); err != nil {
		return nil, err
	}
	r, err := s.load(u.Name)
	if errors.Is(err, ErrMAC) {
		// The host key may have been replaced between the look at the record and that at the key.
		s.held = nil
		r, err = s.load(u.Name)
	}
	if err != nil {
		return nil, err
	}
	if r.Name != u.Name || r.UID != u.UID {
		return nil, fmt.Errorf("%s/%s: made for another user (%q, uid %d)", s.Path, u.Name,
			r.Name, r.UID)
	}
	return r, nil
}

// load reads and opens name's record.
func (s Store) load(name string) (*Record, error) {
	file, err := s.read(name)
	if err != nil {
		return nil, err
	}
	k, err := s.key()
	if err != nil {
		return nil, err
	}
	r, err := k.decode(file)
	if err != nil {
		return nil, fmt.Errorf("%s/%s: %w", s.Path, name, err)
	}
	return r, nil
}

func (s Store) read(name string) ([]byte, error) {
	dir, err := s.dir()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.ReadFile(name, safefile.Private, sizeLimit)
}

// UID returns the uid in name's record without verifying it with the host key: enough to find the
// owner of a uid, and for no other use. The error matches fs.ErrNotExist as Load's does.
func (s Store) UID(name string) (uint32, error) {
	file, err := s.read(name)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(file)) {
		if text, ok := strings.CutPrefix(line, "uid = "); ok {
			uid, err := strconv.ParseUint(strings.TrimSpace(text), 10, 32)
			return uint32(uid), err
		}
	}
	return 0, fmt.Errorf("%s/%s: no uid", s.Path, name)
}

// Save writes r in place of any record its user has, and makes the host key if this is the first
// record of the host. The caller holds state.Store's Exclusive lock.
func (s Store) Save(r *Record) error {
	if err := s.EnsureKey(); err != nil {
		return err
	}
	file, err := s.encode(r)
	if err != nil {
		return err
	}
	dir, err := s.dir()
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Replace(r.Name, file)
}

// Stage writes r, of a user who has no record, without putting it in force. The host key exists. s
// is what Hold returned, and the caller discards the file before done.
func (s Store) Stage(r *Record) (*safefile.Staged, error) {
	file, err := s.encode(r)
	if err != nil {
		return nil, err
	}
	return s.held.dir.Stage(r.Name, file)
}

func (s Store) encode(r *Record) ([]byte, error) {
	k, err := s.key()
	if err != nil {
		return nil, err
	}
	return k.encode(r)
}

// CheckKey returns an error if the host key cannot be used. It matches ErrNoKey if there is none.
func (s Store) CheckKey() error {
	_, err := s.key()
	return err
}

// Sweep removes what a killed Save left behind. The caller holds the lock that Save asks for, so
// no Save is under way.
func (s Store) Sweep() error { return safefile.Sweep(s.Path) }

// EnsureKey makes the host key if there is none, unless there are records: then the key was lost,
// and a new one would hide that. The caller holds the lock that Save asks for.
func (s Store) EnsureKey() error {
	if _, err := s.key(); !errors.Is(err, ErrNoKey) {
		return err
	}
	names, err := s.Names()
	if err != nil {
		return err
	}
	if len(names) > 0 {
		return fmt.Errorf("%w, but %s has records sealed with it", ErrNoKey, s.Path)
	}
	return createKey(s.KeyPath)
}

// Remove removes name's record. The error matches fs.ErrNotExist if there was none.
func (s Store) Remove(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	dir, err := s.dir()
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Remove(name)
}

// Names returns the users who have a record, sorted.
func (s Store) Names() ([]string, error) {
	dir, err := s.dir()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	names, err := dir.Names()
	sort.Strings(names)
	return names, err
}

// Stamp changes whenever a record is made, replaced or removed, by enroll or by anything else.
func (s Store) Stamp() (string, error) {
	dir, err := s.dir()
	if err != nil {
		return "", err
	}
	defer dir.Close()
	return dir.Stamp()
}

// String is where the records are.
func (s Store) String() string { return s.Path }
