package pamd

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Exists is true of what cannot be looked at, too, and false of a link that leads nowhere.
func Exists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Largest is far more than the module has, or any file of PAM's.
const Largest = 4 << 20

// Read reads a file, even one that others can write. Folders and /dev/null are empty for PAM.
// Nothing else is opened: a FIFO would never end, and opening a device could do anything.
func Read(path string, limit int64) (string, error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return "", &fs.PathError{Op: "stat", Path: path, Err: err}
	}
	switch kind := st.Mode & unix.S_IFMT; {
	case kind == unix.S_IFDIR, kind == unix.S_IFCHR && st.Rdev == unix.Mkdev(1, 3):
		return "", nil
	case kind != unix.S_IFREG:
		return "", errors.New("not a regular file")
	}
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err == nil && int64(len(text)) > limit {
		err = fmt.Errorf("longer than %d bytes", limit)
	}
	return string(text), err
}
