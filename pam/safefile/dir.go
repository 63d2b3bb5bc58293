// Package safefile opens and replaces files that only root may have written.
//
// Everything is judged on the open descriptor, never on a path that could change in the meantime.
// A directory is opened; then it and every parent up to the root are checked. Below it no link is
// followed, and a file must be regular, have one link, belong to root (or to the effective user,
// for programs and tests that do not run as root) and have none of the permission bits that the
// caller forbids. The idea comes from sudo-rs's audit of its own files.
package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Dir is an open directory that, like each of its parents, only root can change.
type Dir struct {
	fd       int
	path     string
	lent     bool    // Close leaves it open
	shared   *rounds // of fsync, with all to whom it is lent
	unsynced bool    // until Sync
}

// NoDirError says that a directory is missing, so that people can be told how to put it back. What
// it had is not known, so it does not match fs.ErrNotExist.
type NoDirError struct{ Path string }

func (e *NoDirError) Error() string {
	return fmt.Sprintf("open directory %s: %v", e.Path, unix.ENOENT)
}

// OpenDir opens path, following symbolic links in it, and checks the directory it leads to and all
// parents of that directory. The error for a path that does not exist does not match
// fs.ErrNotExist: that is only ever said of a file in a directory that was checked.
func OpenDir(path string) (*Dir, error) {
	fd, err := openat(unix.AT_FDCWD, path, unix.O_RDONLY|unix.O_DIRECTORY)
	if errors.Is(err, unix.ENOENT) {
		return nil, &NoDirError{path}
	}
	if err != nil {
		return nil, fmt.Errorf("open directory %s: %v", path, err)
	}
	d := &Dir{fd: fd, path: path, shared: new(rounds)}
	if err := d.checkUpwards(); err != nil {
		d.Close()
		return nil, err
	}
	return d, nil
}

// Sub opens the directory name in d, which must not be a symbolic link.
func (d *Dir) Sub(name string) (*Dir, error) {
	fd, err := openat(d.fd, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW)
	if err != nil {
		return nil, fmt.Errorf("open directory %s/%s: %v", d.path, name, err)
	}
	sub := &Dir{fd: fd, path: d.path + "/" + name, shared: new(rounds)}
	st, err := sub.stat()
	if err == nil {
		err = checkDir(sub.path, st, false)
	}
	if err != nil {
		sub.Close()
		return nil, err
	}
	return sub, nil
}

// Mkdir makes the directory name in d, mode 0700, durably. An existing one is left as it is.
func (d *Dir) Mkdir(name string) error {
	if err := plain(name); err != nil {
		return err
	}
	switch err := unix.Mkdirat(d.fd, name, 0o700); err {
	case nil:
		return d.sync()
	case unix.EEXIST:
		return nil
	default:
		return d.pathError("mkdir", name, err)
	}
}

// Stamp returns a text that changes whenever an entry of d is added, removed or replaced, and when
// d is another directory.
func (d *Dir) Stamp() (string, error) {
	st, err := d.stat()
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%d:%d.%09d", st.Ino, st.Mtim.Sec, st.Mtim.Nsec), nil
}

// settling is how much older than a file a directory is made by Settle: more than the steps of a
// file system's clock.
const settling = time.Second

// Settle makes d older than the file name in it, which was written last. Whatever is added to d,
// removed or replaced from then on makes it younger. If it fails, d is not settled.
func (d *Dir) Settle(name string) {
	var st unix.Stat_t
	if unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return
	}
	at := unix.NsecToTimespec(st.Mtim.Nano() - settling.Nanoseconds())
	unix.UtimesNanoAt(d.fd, ".", []unix.Timespec{{Nsec: unix.UTIME_OMIT}, at}, 0)
}

// Settled reports whether nothing was added to d, removed or replaced since Settle.
func (d *Dir) Settled(name string) (bool, error) {
	var st unix.Stat_t
	switch err := unix.Fstatat(d.fd, name, &st, unix.AT_SYMLINK_NOFOLLOW); {
	case err == unix.ENOENT:
		return false, nil
	case err != nil:
		return false, d.pathError("stat", name, err)
	}
	now, err := d.stat()
	return err == nil && now.Mtim.Nano() == st.Mtim.Nano()-settling.Nanoseconds(), err
}

// Close closes the directory.
func (d *Dir) Close() {
	if !d.lent {
		unix.Close(d.fd)
	}
}

// Lend returns d for someone whose Close leaves it open. It spares a caller that opens many files
// opening and checking the directory for each.
func (d *Dir) Lend() *Dir {
	lent := *d
	lent.lent = true
	return &lent
}

// Path returns the path as it was given, for messages.
func (d *Dir) Path() string { return d.path }

// Names returns the entries, unsorted, except those that begin with a dot: no user has such a
// name, and temporary files do.
func (d *Dir) Names() ([]string, error) {
	fd, err := openat(d.fd, ".", unix.O_RDONLY|unix.O_DIRECTORY)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", d.path, err)
	}
	f := os.NewFile(uintptr(fd), d.path)
	defer f.Close()
	all, err := f.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", d.path, err)
	}
	names := all[:0]
	for _, name := range all {
		if !strings.HasPrefix(name, ".") {
			names = append(names, name)
		}
	}
	return names, nil
}

func (d *Dir) stat() (*unix.Stat_t, error) {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd, &st); err != nil {
		return nil, fmt.Errorf("stat %s: %w", d.path, err)
	}
	return &st, nil
}

// checkUpwards checks d and then each parent up to the root, which is its own parent. A parent is
// looked up from d again, which is one call where opening it would be three: only root can have
// moved those below it, because they were checked.
func (d *Dir) checkUpwards() error {
	st, err := d.stat()
	if err != nil {
		return err
	}
	if err := checkDir(d.path, st, false); err != nil {
		return err
	}
	for parent := ".."; ; parent += "/.." {
		var up unix.Stat_t
		if err := fstatat(d.fd, parent, &up); err != nil {
			return fmt.Errorf("stat %s/%s: %v", d.path, parent, err)
		}
		if up.Dev == st.Dev && up.Ino == st.Ino {
			return nil
		}
		if err := checkDir(d.path+"/"+parent, &up, true); err != nil {
			return err
		}
		*st = up
	}
}

// checkDir refuses a directory in which another user could replace an entry. A parent may be
// writable by all if it is sticky, like /tmp: then only the owner of an entry can replace it.
func checkDir(path string, st *unix.Stat_t, parent bool) error {
	if !ownerTrusted(st.Uid) {
		return fmt.Errorf("%s: owned by uid %d", path, st.Uid)
	}
	sticky := parent && st.Mode&unix.S_ISVTX != 0
	if st.Mode&0o022 != 0 && !sticky {
		return fmt.Errorf("%s: writable by others (mode %04o)", path, st.Mode&0o7777)
	}
	return nil
}

func ownerTrusted(uid uint32) bool { return uid == 0 || int(uid) == os.Geteuid() }

// mostTries is how often an interrupted call is repeated.
const mostTries = 10

func openat(dir int, name string, flags int) (int, error) {
	for tries := 1; ; tries++ {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err != unix.EINTR || tries == mostTries {
			return fd, err
		}
	}
}

// fstatat looks at a path below an open directory.
func fstatat(dir int, path string, st *unix.Stat_t) error {
	for tries := 1; ; tries++ {
		err := unix.Fstatat(dir, path, st, 0)
		if err != unix.EINTR || tries == mostTries {
			return err
		}
	}
}

// plain refuses a name that would leave the directory or collide with a temporary file.
func plain(name string) error {
	if name == "" || name[0] == '.' || strings.ContainsAny(name, "/\x00") {
		return fmt.Errorf("%q: not a plain file name", name)
	}
	return nil
}

// pathError adds the file's name to err; the result matches fs.ErrNotExist only if err does.
func (d *Dir) pathError(op, name string, err error) error {
	return &fs.PathError{Op: op, Path: d.path + "/" + name, Err: err}
}
