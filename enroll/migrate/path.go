package migrate

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// folder is a directory as the file system knows it; any path may lead there.
type folder struct{ device, inode uint64 }

// openWithoutLinks opens a file for reading and follows no symbolic link in any part of its
// path: anyone who may put one into a folder above would choose the file. It returns the
// folders that the file is in, innermost first, without the root.
func openWithoutLinks(path string) (file *os.File, above []folder, err error) {
	dir, name := filepath.Split(path)
	at, err := descend(dir)
	if err != nil {
		return nil, nil, err
	}
	if name == "" {
		name = "."
	}
	const careful = unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_NOCTTY | unix.O_CLOEXEC
	fd, err := unix.Openat(at, name, unix.O_RDONLY|careful, 0)
	if err == unix.ELOOP {
		err = errors.New("a symbolic link: name the file that it leads to")
	}
	if err != nil {
		unix.Close(at)
		return nil, nil, err
	}
	file = os.NewFile(uintptr(fd), path)
	if above, err = ascend(at); err != nil {
		file.Close()
	}
	return file, above, err
}

// descend opens a folder, part by part.
func descend(dir string) (int, error) {
	walked, start := "", "."
	if strings.HasPrefix(dir, "/") {
		walked, start = "/", "/"
	}
	at, err := unix.Open(start, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	for part := range strings.SplitSeq(dir, "/") {
		if err != nil {
			return -1, err
		}
		if part == "" {
			continue
		}
		walked = filepath.Join(walked, part)
		from := at
		at, err = enter(from, part, walked)
		unix.Close(from)
	}
	return at, err
}

// enter opens the folder part of the folder from.
func enter(from int, part, walked string) (int, error) {
	fd, err := unix.Openat(from, part, unix.O_PATH|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("%s: %w", shown(walked), err)
	}
	var st unix.Stat_t
	if err = unix.Fstat(fd, &st); err == nil && st.Mode&unix.S_IFMT == unix.S_IFLNK {
		err = fmt.Errorf("%s is a symbolic link: name the folder that it leads to", shown(walked))
	}
	if err != nil {
		unix.Close(fd)
	}
	return fd, err
}

// ascend lists the folder at and all that it is in, and closes it.
func ascend(at int) (above []folder, err error) {
	for {
		var st, up unix.Stat_t
		parent, err := unix.Openat(at, "..", unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
		if err == nil {
			err = errors.Join(unix.Fstat(at, &st), unix.Fstat(parent, &up))
		}
		unix.Close(at)
		if err != nil {
			return nil, err
		}
		if st.Dev == up.Dev && st.Ino == up.Ino {
			unix.Close(parent)
			return above, nil
		}
		above, at = append(above, folder{st.Dev, st.Ino}), parent
	}
}
