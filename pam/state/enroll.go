package state

import (
	"fmt"
	"io/fs"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
)

// Create makes the state file of a new enrollment, in place of any that name had. The caller holds
// the lock of the directory (Exclusive) and of the file that is replaced, if there is one.
func (s Store) Create(name string, st State) error {
	dir, err := s.dir()
	if err != nil {
		return err
	}
	defer dir.Close()
	file, err := st.file()
	if err != nil {
		return err
	}
	return safefile.Part(dir.Preallocate(name, file))
}

// file returns st as a file of a new enrollment.
func (st State) file() ([]byte, error) {
	st.sequence = 1
	slot, err := st.encode()
	return append(slot, slot...), err
}

// Stage writes the state file of a new enrollment of a user who has none, without putting it in
// force. s is what Hold returned, and the caller discards the file before done.
func (s Store) Stage(name string, st State) (*safefile.Staged, error) {
	file, err := st.file()
	if err != nil {
		return nil, err
	}
	return s.held.StageInPlace(name, file)
}

// Remove removes name's state, under the same locks as Create. The error matches fs.ErrNotExist if
// there is none.
func (s Store) Remove(name string) error {
	dir, err := s.dir()
	if err != nil {
		return err
	}
	defer dir.Close()
	return dir.Remove(name)
}

// Lock locks name's state file without reading it, until Close, so that even one that is damaged
// can be replaced. Errors are those of the lock and of the file being none; a nil Lock may be
// closed.
func (s Store) Lock(name string) (*Lock, error) {
	dir, err := s.dir()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	f, err := dir.Open(name, unix.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	if err := s.Patience.Lock(f); err != nil {
		f.Close()
		return nil, fmt.Errorf("%s/%s: %w", s.Path, name, err)
	}
	return &Lock{read: func() (*File, error) { return parse(f) }, close: f.Close}, nil
}

// Lock is a state file that was locked and not read.
type Lock struct {
	read  func() (*File, error)
	close func() error
}

// Read reads the locked state.
func (l *Lock) Read() (*State, error) {
	if l == nil {
		return nil, fs.ErrNotExist
	}
	f, err := l.read()
	if err != nil {
		return nil, err
	}
	return &f.State, nil
}

// Close ends the lock.
func (l *Lock) Close() error {
	if l == nil {
		return nil
	}
	return l.close()
}

// Sweep removes what a killed enroll left behind. The caller holds Exclusive.
func (s Store) Sweep() error { return safefile.Sweep(s.Path) }

// Exclusive runs change while no other enroll changes anything. Logins do not wait for it.
func (s Store) Exclusive(change func() error) error {
	dir, err := safefile.OpenDir(s.Path)
	if err != nil {
		return err
	}
	defer dir.Close()
	if err := s.Patience.LockDir(dir); err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	return change()
}
