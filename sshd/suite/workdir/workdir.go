// Package workdir makes temporary folders that are swept if their process is killed.
package workdir

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// pattern is that of the suite's temporary folders.
const pattern = "latchkey-sshd-*"

// New makes a temporary folder and locks it for as long as this process lives, or until it is
// closed. Folders whose process was killed before it could remove them, which the missing lock
// shows, are removed.
func New() (folder *os.File, err error) {
	sweep()
	for range 100 { // another process may sweep a new folder away before it is locked
		if folder, err = claim(); err == nil {
			break
		}
	}
	return folder, err
}

// claim makes a folder, if no other process sweeps it away before it is locked.
func claim() (*os.File, error) {
	dir, err := os.MkdirTemp("", pattern)
	if err != nil {
		return nil, err
	}
	folder, err := lock(dir)
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil { // users inside the containers read keys there
		return nil, errors.Join(err, folder.Close())
	}
	return folder, nil
}

func sweep() {
	left, _ := filepath.Glob(filepath.Join(os.TempDir(), pattern))
	for _, dir := range left {
		if folder, err := lock(dir); err == nil {
			_ = os.RemoveAll(dir)
			_ = folder.Close()
		}
	}
}

func lock(dir string) (*os.File, error) {
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	if err := unix.Flock(int(folder.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(err, folder.Close())
	}
	return folder, nil
}
