package main

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// become makes a process that root started one of the user who owns the folder of the secret, so
// that files it writes are that user's and nothing runs as root.
func become(dir string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var st unix.Stat_t
	switch err := unix.Stat(dir, &st); {
	case err == unix.ENOENT: // what needs it will say so
		return nil
	case err != nil:
		return fmt.Errorf("%s: %v", dir, err)
	case st.Uid == 0:
		return nil
	}
	if err := unix.Setgroups(nil); err != nil {
		return fmt.Errorf("setgroups: %v", err)
	}
	gid, uid := int(st.Gid), int(st.Uid)
	if err := unix.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("setresgid: %v", err)
	}
	if err := unix.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("setresuid: %v", err)
	}
	// Changing the user made the process dumpable or not as the system likes.
	return unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
}
