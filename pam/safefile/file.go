package safefile

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

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
	fd, _, err := d.open(name, flags, forbidden)
	if err != nil {
		return nil, err
	}
	// The file itself never blocks, and package os would watch a non-blocking one with epoll.
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return nil, d.pathError("open", name, err)
	}
	return os.NewFile(uintptr(fd), d.path+"/"+name), nil
}

// errUnlinked says that a file was replaced or removed between its opening and the look at it.
var errUnlinked = errors.New("has 0 hard links")

// open opens a file and checks it, and returns what was seen of it.
func (d *Dir) open(name string, flags int, forbidden uint32) (fd int, st *unix.Stat_t, err error) {
	if err := plain(name); err != nil {
		return -1, nil, err
	}
	for tries := 1; ; tries++ {
		// O_NONBLOCK: opening a FIFO that another user put there must not wait for its other end.
		fd, err = openat(d.fd, name, flags|unix.O_NOFOLLOW|unix.O_NONBLOCK)
		if err != nil {
			return -1, nil, d.pathError("open", name, err)
		}
		if st, err = checkFile(fd, d.path+"/"+name, forbidden); err == nil {
			return fd, st, nil
		}
		unix.Close(fd)
		if !errors.Is(err, errUnlinked) || tries == mostTries {
			return -1, nil, err
		}
	}
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
// bytes. It does without an os.File, which costs more than the reading, and a login reads all its
// files this way.
func (d *Dir) ReadFile(name string, forbidden uint32, limit int) ([]byte, error) {
	fd, st, err := d.open(name, unix.O_RDONLY, forbidden)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	data, err := readAll(fd, int(st.Size), limit+1)
	if err != nil {
		return nil, d.pathError("read", name, err)
	}
	if len(data) > limit {
		return nil, fmt.Errorf("%s/%s: longer than %d bytes", d.path, name, limit)
	}
	return data, nil
}

// readAll reads up to limit bytes of a file that seemed to have size bytes.
func readAll(fd, size, limit int) ([]byte, error) {
	data := make([]byte, 0, min(size, limit)+bytes.MinRead)
	for len(data) < limit {
		data = slices.Grow(data, bytes.MinRead)
		n, err := read(fd, data[len(data):min(cap(data), limit)])
		if n <= 0 {
			return data, err
		}
		data = data[:len(data)+n]
	}
	return data, nil
}

func read(fd int, room []byte) (int, error) {
	for tries := 1; ; tries++ {
		n, err := unix.Read(fd, room)
		if err != unix.EINTR || tries == mostTries {
			return n, err
		}
	}
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

func checkFile(fd int, path string, forbidden uint32) (*unix.Stat_t, error) {
	st := new(unix.Stat_t)
	err := unix.Fstat(fd, st)
	switch {
	case err != nil:
		return nil, fmt.Errorf("stat %s: %v", path, err)
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, fmt.Errorf("%s: not a regular file", path)
	case !ownerTrusted(st.Uid):
		return nil, fmt.Errorf("%s: owned by uid %d", path, st.Uid)
	case st.Mode&forbidden != 0:
		return nil, fmt.Errorf("%s: mode %04o gives others access", path, st.Mode&0o7777)
	case st.Nlink == 0:
		return nil, fmt.Errorf("%s: %w", path, errUnlinked)
	case st.Nlink != 1:
		return nil, fmt.Errorf("%s: has %d hard links", path, st.Nlink)
	}
	return st, nil
}
