package safefile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Permission bits that a file must not have.
const (
	NotWritable = 0o022 // configuration: others may read it
	Private     = 0o077 // secrets and state: no one else may even read them
)

// Open opens the regular file name in d with flags (unix.O_RDONLY or unix.O_RDWR) and checks it.
// The error matches fs.ErrNotExist exactly if there is no such entry.
func (d *Dir) Open(name string, flags int, forbidden uint32) (*os.File, error) {
	if err := plain(name); err != nil {
		return nil, err
	}
	for tries := 1; ; tries++ {
		f, err := d.open(name, flags, forbidden)
		if !errors.Is(err, errUnlinked) || tries == mostTries {
			return f, err
		}
	}
}

// errUnlinked says that a file was replaced or removed between its opening and the look at it.
var errUnlinked = errors.New("has 0 hard links")

func (d *Dir) open(name string, flags int, forbidden uint32) (*os.File, error) {
	// O_NONBLOCK: opening a FIFO that another user put there must not wait for its other end.
	fd, err := openat(d.fd, name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return nil, d.pathError("open", name, err)
	}
	// The file itself never blocks, and package os would watch a non-blocking one with epoll.
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return nil, d.pathError("open", name, err)
	}
	f := os.NewFile(uintptr(fd), d.path+"/"+name)
	if err := checkFile(f, forbidden); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// ReadFile is Dir.ReadFile for the file at path.
func ReadFile(path string, forbidden uint32, limit int) ([]byte, error) {
	dir, err := OpenDir(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer dir.Close()
	return dir.ReadFile(filepath.Base(path), forbidden, limit)
}

// ReadFile returns the whole content of a file that Open would open and that has at most limit
// bytes.
func (d *Dir) ReadFile(name string, forbidden uint32, limit int) ([]byte, error) {
	f, err := d.Open(name, unix.O_RDONLY, forbidden)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := readAll(f, limit+1)
	if err != nil {
		return nil, err
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%s: longer than %d bytes", f.Name(), limit)
	}
	return data, nil
}

// readAll is io.ReadAll up to limit bytes, with room for what f has now from the beginning: a login
// reads all its files this way, and a text that grows is copied again and again.
func readAll(f *os.File, limit int) ([]byte, error) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, os.NewSyscallError("fstat", err)
	}
	room := bytes.NewBuffer(make([]byte, 0, min(int(st.Size), limit)+bytes.MinRead))
	_, err := room.ReadFrom(io.LimitReader(f, int64(limit)))
	return room.Bytes(), err
}

// Linked reports whether name in d still leads to f: a file that was replaced or removed while we
// waited for its lock is no longer linked.
func (d *Dir) Linked(f *os.File, name string) bool {
	var here, there unix.Stat_t
	if unix.Fstat(int(f.Fd()), &here) != nil {
		return false
	}
	if unix.Fstatat(d.fd, name, &there, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return false
	}
	return here.Dev == there.Dev && here.Ino == there.Ino
}

func checkFile(f *os.File, forbidden uint32) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return fmt.Errorf("stat %s: %v", f.Name(), err)
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return fmt.Errorf("%s: not a regular file", f.Name())
	case !ownerTrusted(st.Uid):
		return fmt.Errorf("%s: owned by uid %d", f.Name(), st.Uid)
	case st.Mode&forbidden != 0:
		return fmt.Errorf("%s: mode %04o gives others access", f.Name(), st.Mode&0o7777)
	case st.Nlink == 0:
		return fmt.Errorf("%s: %w", f.Name(), errUnlinked)
	case st.Nlink != 1:
		return fmt.Errorf("%s: has %d hard links", f.Name(), st.Nlink)
	}
	return nil
}
