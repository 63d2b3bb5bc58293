package state_test

import (
	"errors"
	"fmt"
	"io"
	"os"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) {
	testroot.Main(m, testroot.Roles{"commit": commit, "change": change, "hold": hold, "full": full,
		"read-only": readOnly, "cut": cut})
}

// commit adds one to the first device's counter: directory, name.
func commit(args []string) error { return increment(args, (*state.File).Commit) }

// change does so, or not at all.
func change(args []string) error { return increment(args, (*state.File).CommitOrUndo) }

func increment(args []string, commit func(*state.File) error) error {
	f, err := state.Store{Path: args[0]}.Open(args[1])
	if err != nil {
		return err
	}
	defer f.Close()
	f.Devices[0].Counter++
	return commit(f)
}

// cut commits twice where the second slot is written in part: no file may be longer than that.
// Directory, name.
func cut(args []string) error {
	most := unix.Rlimit{Cur: 6000, Max: 6000}
	if err := unix.Setrlimit(unix.RLIMIT_FSIZE, &most); err != nil {
		return err
	}
	if err := commit(args); err != nil {
		return fmt.Errorf("the first: %w", err)
	}
	return commit(args)
}

// hold takes the lock, says so, and keeps it until its input ends: directory, name.
func hold(args []string) error {
	f, err := state.Store{Path: args[0]}.Open(args[1])
	if err != nil {
		return err
	}
	defer f.Close()
	fmt.Println("locked")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// full commits and creates on a disk that is full: an empty directory to mount it on.
func full(args []string) error {
	if err := unix.Mount("tmpfs", args[0], "tmpfs", 0, "size=64k,mode=0700"); err != nil {
		return err
	}
	store := state.Store{Path: args[0]}
	if err := store.Create("alice", sample()); err != nil {
		return err
	}
	if err := os.WriteFile(args[0]+"/rest", make([]byte, 1<<20),
		0o600); !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("the disk is not full: %v", err)
	}
	for range 20 {
		if err := commit([]string{args[0], "alice"}); err != nil {
			return err
		}
	}
	if err := store.Create("alice", sample()); !errors.Is(err, unix.ENOSPC) {
		return fmt.Errorf("creating on a full disk: %v", err)
	}
	st, err := store.View("alice")
	if err != nil || st.Devices[0].Counter != 25 {
		return fmt.Errorf("viewed afterwards: %+v, %v", st, err)
	}
	return nil
}

// readOnly commits where nothing can be written: directory, name.
func readOnly(args []string) error {
	if err := unix.Mount(args[0], args[0], "", unix.MS_BIND, ""); err != nil {
		return err
	}
	if err := unix.Mount("", args[0], "", unix.MS_BIND|unix.MS_REMOUNT|unix.MS_RDONLY,
		""); err != nil {
		return err
	}
	if err := commit(args); !errors.Is(err, state.ErrSave) {
		return fmt.Errorf("opening: %v", err)
	}
	_, err := state.Store{Path: args[0]}.View(args[1])
	return err
}
