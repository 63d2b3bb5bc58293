package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
)

// Store is the directory of all users' state files.
type Store struct {
	Path     string // /var/lib/latchkey/users
	Patience safefile.Patience
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
	dir, err := safefile.OpenDir(s.Path)
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
	dir, err := safefile.OpenDir(s.Path)
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.Names()
}

func (s Store) open(name string, flags int, lock func(*os.File) error) (*File, error) {
	dir, err := safefile.OpenDir(s.Path)
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
	b, err := io.ReadAll(io.LimitReader(r, fileSize+1))
	if err != nil {
		return nil, err
	}
	if len(b) != fileSize {
		return nil, fmt.Errorf("%w: not %d bytes long", ErrDamaged, fileSize)
	}
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

// turn is the slot that state number sequence is written to first when both are level: the one
// that the commit before did not flush.
func turn(sequence uint64) int { return int(sequence % 2) }

// Commit makes f.State durable: when it returns nil, the state is on the disk. Any error matches
// ErrSave, and the file then holds the old state or the new one: after a flush that failed the new
// one counts, so that a guess stays charged.
func (f *File) Commit() error {
	if err := f.commit(); err != nil {
		return fmt.Errorf("%w: %v", ErrSave, err)
	}
	return nil
}

// CommitOrUndo is Commit for a change that is to count only if it is told: when it fails, the old
// state counts again, unless the error matches safefile.ErrInForce too. f is of no use afterwards.
func (f *File) CommitOrUndo() error {
	old, slot := f.counted, f.next
	err := f.Commit()
	if err == nil || f.unfinished != nil {
		return err // of an unfinished state nothing new was written yet
	}
	if f.save(old, slot) != nil && !f.holds(old) {
		return fmt.Errorf("%w; %w", err, safefile.ErrInForce)
	}
	return err
}

// holds reports whether slot counts for everyone who reads the file.
func (f *File) holds(slot []byte) bool {
	now, err := parse(io.NewSectionReader(f.f, 0, fileSize+1))
	return err == nil && string(now.counted) == string(slot)
}

func (f *File) commit() error {
	if f.unfinished != nil {
		// The newer slot must be on the disk before the other is touched. It is written again,
		// since after a flush that failed the kernel takes what it could not write for written.
		if err := f.save(f.unfinished, 1-f.next); err != nil {
			return err
		}
		f.unfinished = nil
	}
	f.sequence++
	if turn(f.sequence) != f.next {
		f.sequence++ // the order was upset by damage; a number skipped sets it right
	}
	slot, err := f.encode()
	if err != nil {
		return err
	}
	if err := f.save(slot, f.next); err != nil {
		return err
	}
	// The state is safe. Bringing the other slot level guards against damage later, and is not
	// worth a denial now.
	f.next, f.counted = 1-f.next, slot
	f.write(slot, f.next)
	f.Damage = ""
	return nil
}

// save writes slot number n and flushes it.
func (f *File) save(slot []byte, n int) error {
	if err := f.write(slot, n); err != nil {
		return err
	}
	return f.f.flush()
}

func (f *File) write(slot []byte, n int) error {
	_, err := f.f.WriteAt(slot, int64(n)*slotSize)
	return err
}

// Close ends the lock.
func (f *File) Close() error { return f.f.Close() }

// Create makes the state file of a new enrollment, in place of any that name had. The caller holds
// the lock of the directory (Exclusive) and of the file that is replaced, if there is one.
func (s Store) Create(name string, st State) error {
	dir, err := safefile.OpenDir(s.Path)
	if err != nil {
		return err
	}
	defer dir.Close()
	st.sequence = 1
	slot, err := st.encode()
	if err != nil {
		return err
	}
	return safefile.Part(dir.Preallocate(name, append(slot, slot...)))
}

// Remove removes name's state, under the same locks as Create. The error matches fs.ErrNotExist if
// there is none.
func (s Store) Remove(name string) error {
	dir, err := safefile.OpenDir(s.Path)
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
	dir, err := safefile.OpenDir(s.Path)
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
	return &Lock{f}, nil
}

// Lock is a state file that was locked and not read.
type Lock struct{ f *os.File }

// Read reads the locked state.
func (l *Lock) Read() (*State, error) {
	if l == nil {
		return nil, fs.ErrNotExist
	}
	f, err := parse(l.f)
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
	return l.f.Close()
}

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
	dir.Sweep()
	return change()
}
