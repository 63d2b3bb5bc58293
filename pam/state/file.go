package state

import (
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
)

// Store is the directory of all users' state files.
type Store struct {
	Path     string // /var/lib/latchkey/users
	Patience safefile.Patience

	held *safefile.Dir // nil: the directory is opened for each state
}

// Hold returns s for a caller that opens many states: the directory is opened and checked now, and
// kept until done is called.
func (s Store) Hold() (of Store, done func(), err error) {
	dir, err := safefile.OpenDir(s.Path)
	if err != nil {
		return s, nil, err
	}
	s.held = dir
	return s, dir.Close, nil
}

func (s Store) dir() (*safefile.Dir, error) {
	if s.held != nil {
		return s.held.Lend(), nil
	}
	return safefile.OpenDir(s.Path)
}

// File is one user's state, locked until Close.
type File struct {
	State
	f       disk
	next    int    // the slot that the next Commit writes first
	counted []byte // the slot that counted when the file was read, or that was committed since
	// unfinished is the newer slot if the two are uneven: a writer died or failed before its
	// commit was complete, and what it wrote may not be on the disk yet.
	unfinished []byte
	stage      func(State) error // of a virtual file: what Commit does
	// Damage tells of a slot that was damaged and will be rewritten by the next Commit; empty
	// if there is none.
	Damage string
}

// disk is what Commit needs of the opened file. The test of crashes has a disk of its own.
type disk interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	flush() error
}

type osDisk struct{ *os.File }

// WriteAt gives up where os.File would retry forever: on a file system whose writes are always
// interrupted.
func (d osDisk) WriteAt(b []byte, off int64) (int, error) {
	n, err := unix.Pwrite(int(d.Fd()), b, off)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	return n, os.NewSyscallError("pwrite", err)
}

func (d osDisk) flush() error {
	return os.NewSyscallError("fdatasync",
		unix.Fdatasync(int(d.Fd())))
}

// Open opens and locks name's state. Errors match fs.ErrNotExist if there is none,
// safefile.ErrBusy if the lock was not to be had, ErrDamaged, ErrNewer, or ErrSave if the file
// cannot be written (a read-only file system).
func (s Store) Open(name string) (*File, error) {
	return s.open(name, unix.O_RDWR, s.Patience.Lock)
}

// View reads name's state for display: it works where the file cannot be written.
func (s Store) View(name string) (*State, error) {
	f, err := s.open(name, unix.O_RDONLY, s.Patience.LockShared)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return &f.State, nil
}

// CopiedOnWrite reports whether a full disk would deny this user: the file system copies this file
// when it is written.
func (s Store) CopiedOnWrite(name string) (bool, error) {
	dir, err := s.dir()
	if err != nil {
		return false, err
	}
	defer dir.Close()
	f, err := dir.Open(name, unix.O_RDONLY, safefile.Private)
	if err != nil {
		return false, err
	}
	defer f.Close()
	return safefile.CopiedOnWrite(f), nil
}

// Peek reads name's state without waiting for its lock: only what never changes (uid, enrollment)
// can be relied on.
func (s Store) Peek(name string) (*State, error) {
	f, err := s.open(name, unix.O_RDONLY, func(*os.File) error { return nil })
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return &f.State, nil
}

// Names lists the users that have a state, unsorted.
func (s Store) Names() ([]string, error) {
	dir, err := s.dir()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Names()
}

func (s Store) open(name string, flags int, lock func(*os.File) error) (*File, error) {
	dir, err := s.dir()
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	for {
		f, err := dir.Open(name, flags, safefile.Private)
		if err != nil {
			return nil, openError(err)
		}
		if err := lock(f); err != nil {
			f.Close()
			return nil, fmt.Errorf("%s/%s: %w", s.Path, name, err)
		}
		// While we waited enroll may have put another file in place of this one: then this lock
		// guards nothing.
		if dir.Linked(f, name) {
			return read(f)
		}
		f.Close()
	}
}

// openError names a read-only file system for what it means here.
func openError(err error) error {
	if errors.Is(err, unix.EROFS) {
		return fmt.Errorf("%w: %v", ErrSave, err)
	}
	return err
}

func read(f *os.File) (*File, error) {
	file, err := parse(f)
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("%s: %w", f.Name(), err)
	}
	file.f = osDisk{f}
	return file, nil
}

// parse chooses the state that counts, and the slot to be written next; FORMAT.md says why.
func parse(r io.Reader) (*File, error) {
	b := make([]byte, fileSize+1)
	// One byte more than there may be, so that the end is where it is expected.
	n, err := io.ReadFull(r, b)
	if err != nil && err != io.ErrUnexpectedEOF && err != io.EOF {
		return nil, err
	}
	if n != fileSize {
		return nil, fmt.Errorf("%w: not %d bytes long", ErrDamaged, fileSize)
	}
	b = b[:n]
	one, err1 := decode(b[:slotSize])
	two, err2 := one, err1
	level := string(b[:slotSize]) == string(b[slotSize:])
	if !level {
		two, err2 = decode(b[slotSize:])
	}
	switch {
	case errors.Is(err1, ErrNewer) || errors.Is(err2, ErrNewer):
		return nil, ErrNewer
	case err1 != nil && err2 != nil:
		return nil, ErrDamaged
	case err1 != nil:
		return &File{State: *two, next: 0, counted: b[slotSize:],
			Damage: "slot 1 of the state is damaged"}, nil
	case err2 != nil:
		return &File{State: *one, next: 1, counted: b[:slotSize],
			Damage: "slot 2 of the state is damaged"}, nil
	case one.sequence > two.sequence:
		return &File{State: *one, next: 1, counted: b[:slotSize], unfinished: b[:slotSize]}, nil
	case one.sequence < two.sequence:
		return &File{State: *two, next: 0, counted: b[slotSize:], unfinished: b[slotSize:]}, nil
	case !level:
		return nil, fmt.Errorf("%w: they contradict each other", ErrDamaged)
	}
	return &File{State: *one, next: turn(one.sequence + 1), counted: b[:slotSize]}, nil
}

// Close ends the lock.
func (f *File) Close() error {
	if f.stage != nil {
		return nil
	}
	return f.f.Close()
}

// Stamp changes whenever a state is made, replaced or removed, by enroll or by anything else.
func (s Store) Stamp() (string, error) {
	dir, err := s.dir()
	if err != nil {
		return "", err
	}
	defer dir.Close()
	return dir.Stamp()
}

// String is where the states are.
func (s Store) String() string { return s.Path }
