package safefile

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

const temporary = ".new-"

// ErrInForce says that a change was made, although it could not be made durable: everyone sees it
// now.
var ErrInForce = errors.New("the change is in force now, and a crash of this machine may undo it")

// Part is the error of a file that is only part of a change: losing the file undoes the change, so
// no error of it matches ErrInForce.
func Part(err error) error {
	if !errors.Is(err, ErrInForce) {
		return err
	}
	return errors.New(strings.TrimSuffix(err.Error(), "; "+ErrInForce.Error()))
}

// Replace puts data under name in d, mode 0600, so that at any instant, even in a crash, the name
// leads to the whole old file or to the whole new one: temporary file, fsync, rename, fsync of the
// directory. If it fails, even in the last of these, the old file stands unless the error matches
// ErrInForce.
func (d *Dir) Replace(name string, data []byte) error {
	return d.put(name, data, asIs, exchange)
}

// ReplaceAs is Replace for a file of the system's: it gets this mode and this owner.
func (d *Dir) ReplaceAs(name string, data []byte, mode uint32, uid, gid int) error {
	var failed error
	belong := func(fd int) {
		if os.Geteuid() == 0 {
			failed = os.NewSyscallError("fchown", unix.Fchown(fd, uid, gid))
		}
		if failed == nil {
			failed = os.NewSyscallError("fchmod", unix.Fchmod(fd, mode))
		}
	}
	place := func(s *Staged) (func() error, error) {
		if failed != nil {
			return nil, s.failed(failed)
		}
		return exchange(s)
	}
	return d.put(name, data, belong, place)
}

// Create is like Replace, but the error matches fs.ErrExist if name exists already.
func (d *Dir) Create(name string, data []byte) error { return d.put(name, data, asIs, link) }

// ReplacePublic is Replace for a file that everyone may read, mode 0644.
func (d *Dir) ReplacePublic(name string, data []byte) error {
	readable := func(fd int) { unix.Fchmod(fd, 0o644) } // if it fails, root reads it all the same
	return d.put(name, data, readable, exchange)
}

// asIs leaves a new file as the file system makes it.
func asIs(int) {}

// link gives a file a name that does not exist yet.
func link(s *Staged) (undo func() error, err error) {
	return func() error { return unix.Unlinkat(s.dir.fd, s.name, 0) }, s.Name()
}

// exchange gives a file its name, and the file that had the name the temporary one, until the
// change is on the disk.
func exchange(s *Staged) (undo func() error, err error) {
	swap := func() error {
		return unix.Renameat2(s.dir.fd, s.tmp, s.dir.fd, s.name, unix.RENAME_EXCHANGE)
	}
	switch err := swap(); err {
	case unix.ENOENT:
		return link(s)
	case unix.EINVAL, unix.ENOSYS: // a file system that can only replace
		return func() error { return unix.ENOSYS },
			s.failed(unix.Renameat(s.dir.fd, s.tmp, s.dir.fd, s.name))
	default:
		return swap, s.failed(err)
	}
}

// Remove removes name (a file or an empty directory) durably. The error matches fs.ErrNotExist if
// it was not there, and ErrInForce if it is removed all the same.
func (d *Dir) Remove(name string) error {
	if err := plain(name); err != nil {
		return err
	}
	err := unix.Unlinkat(d.fd, name, 0)
	if err == unix.EISDIR {
		err = unix.Unlinkat(d.fd, name, unix.AT_REMOVEDIR)
	}
	if err != nil {
		return d.pathError("remove", name, err)
	}
	if err := d.sync(); err != nil {
		return fmt.Errorf("%w; %w", err, ErrInForce)
	}
	return nil
}

// Sweep removes temporary files that a killed Replace left, and no others: d may be a directory of
// the system's. The caller holds d's lock, so that none is in use.
func (d *Dir) Sweep() {
	fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return
	}
	f := os.NewFile(uintptr(fd), d.path)
	defer f.Close()
	names, _ := f.Readdirnames(-1)
	for _, name := range names {
		if isTemporary(name) {
			unix.Unlinkat(d.fd, name, 0)
		}
	}
}

// isTemporary reports whether name is one that stage makes up.
func isTemporary(name string) bool {
	random, ok := strings.CutPrefix(name, temporary)
	return ok && strings.Trim(random, "0123456789abcdef") == ""
}

// Sweep is Dir.Sweep for the directory at path.
func Sweep(path string) error {
	dir, err := OpenDir(path)
	if err != nil {
		return err
	}
	defer dir.Close()
	dir.Sweep()
	return nil
}

// put writes data to a temporary file that prepare got to see while it was empty, and has rename
// give it its name. The file that ends up with the temporary name is removed.
func (d *Dir) put(name string, data []byte, prepare func(fd int),
	rename func(*Staged) (undo func() error, err error)) error {
	s, err := d.stage(name, data, prepare)
	if err != nil {
		return err
	}
	defer s.Discard()
	if !d.unsynced {
		if err := s.Flush(); err != nil {
			return err
		}
	}
	undo, err := rename(s)
	if err != nil {
		return err
	}
	err = d.sync()
	if err != nil && undo() != nil {
		return fmt.Errorf("%w; %w", err, ErrInForce)
	}
	return err
}

// writeAll gives up where os.File would go on forever: on a file system that is interrupted again
// and again.
func writeAll(fd int, data []byte) error {
	for len(data) > 0 {
		n, err := unix.Write(fd, data)
		if err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// own sets mode and group regardless of the caller's umask and group (enroll is setuid).
func own(fd int) error {
	if os.Geteuid() == 0 {
		if err := unix.Fchown(fd, 0, 0); err != nil {
			return err
		}
	}
	return unix.Fchmod(fd, 0o600)
}

func (d *Dir) sync() error {
	if d.unsynced {
		return nil
	}
	err := d.shared.do(func() error { return unix.Fsync(d.fd) })
	if err != nil {
		return d.pathError("sync", ".", err)
	}
	return nil
}
