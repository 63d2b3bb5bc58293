package dispatch

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
)

// Check reports why the program at path, below root, must not be run: only root may have been able
// to write it, and the account must be able to start it. It returns the path without symbolic
// links, so that the program started is the one that was checked.
func Check(root, path string, uid, gid uint32) (resolved string, err error) {
	dir, err := filepath.EvalSymlinks(filepath.Dir(root + path))
	if err != nil {
		return "", err
	}
	opened, err := safefile.OpenDir(dir)
	if err != nil {
		return "", err
	}
	defer opened.Close()
	file, err := opened.Open(filepath.Base(path), unix.O_RDONLY, safefile.NotWritable)
	if err != nil {
		return "", err
	}
	file.Close()
	resolved = filepath.Join(dir, filepath.Base(path))
	for at := resolved; ; at = filepath.Dir(at) {
		if err := startable(at, uid, gid); err != nil {
			return "", err
		}
		if at == filepath.Dir(at) {
			return resolved, nil
		}
	}
}

// startable reports why the account may not run a file or pass through a directory. It ignores
// access control lists (acl(5)): a program that only they let start is not refused when it is run.
func startable(path string, uid, gid uint32) error {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	bit := uint32(0o001)
	switch {
	case st.Uid == uid:
		bit = 0o100
	case st.Gid == gid:
		bit = 0o010
	}
	if st.Mode&bit == 0 {
		return fmt.Errorf("%s: mode %04o does not let uid %d execute it", path,
			st.Mode&0o7777, uid)
	}
	return nil
}
