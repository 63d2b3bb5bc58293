package state_test

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"testing"

	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// enroll locks what it replaces, also what it cannot read.
func TestLockedStateIsReadAndNoOneElseOpensIt(t *testing.T) {
	s, file := stored(t)
	lock, err := s.Lock("alice")
	testroot.Must(t, err)
	if _, err := s.Open("alice"); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("opened meanwhile: got %v, want %v", err, safefile.ErrBusy)
	}
	if _, err := s.Lock("alice"); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("locked twice: got %v, want %v", err, safefile.ErrBusy)
	}
	if st, err := lock.Read(); err != nil || !reflect.DeepEqual(st.Devices, sample().Devices) {
		t.Errorf("got %+v, %v; want the state", st, err)
	}
	testroot.Must(t, lock.Close())
	testroot.Write(t, file, []byte("damaged"))
	lock, err = s.Lock("alice")
	testroot.Must(t, err)
	defer lock.Close()
	if _, err := lock.Read(); !errors.Is(err, state.ErrDamaged) {
		t.Errorf("damaged: got %v, want %v", err, state.ErrDamaged)
	}
}

func TestLockOfAMissingStateIsNone(t *testing.T) {
	s, _ := stored(t)
	lock, err := s.Lock("bob")
	if lock != nil || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, %v; want that there is none", lock, err)
	}
	if _, err := lock.Read(); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("read: got %v, want that there is none", err)
	}
	testroot.Must(t, lock.Close())
}

// A missing directory must not look like a user who never enrolled (FAULTS 4).
func TestMissingDirectoryIsAnErrorAndNotAMissingState(t *testing.T) {
	s := state.Store{Path: testroot.New(t).Join("var/lib/nowhere")}
	_, names := s.Names()
	_, opened := s.Open("alice")
	_, peeked := s.Peek("alice")
	_, locked := s.Lock("alice")
	_, copied := s.CopiedOnWrite("alice")
	exclusive := s.Exclusive(func() error { t.Error("got the change run"); return nil })
	for call, err := range map[string]error{
		"Names": names, "Open": opened, "Peek": peeked, "Lock": locked, "CopiedOnWrite": copied,
		"Exclusive": exclusive, "Remove": s.Remove("alice"), "Create": s.Create("alice", sample()),
	} {
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: got %v, want an error that is not a missing file", call, err)
		}
	}
}

func TestPeekDoesNotWaitForALockAndNamesListsAll(t *testing.T) {
	s, _ := stored(t)
	lock, err := s.Lock("alice")
	testroot.Must(t, err)
	defer lock.Close()
	if st, err := s.Peek("alice"); err != nil || st.UID != 1000 {
		t.Errorf("got %+v, %v; want alice's", st, err)
	}
	testroot.Must(t, s.Create("bob", sample()))
	names, err := s.Names()
	slices.Sort(names)
	if want := []string{"alice", "bob"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("got %q, %v; want %q", names, err, want)
	}
}

func TestCopyingIsOnlyToldOfAFileThatMayBeRead(t *testing.T) {
	s, file := stored(t)
	if copied, err := s.CopiedOnWrite("alice"); copied || err != nil {
		t.Errorf("got %v, %v; want no copies on this file system", copied, err)
	}
	if _, err := s.CopiedOnWrite("bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want that there is none", err)
	}
	testroot.Must(t, os.Chmod(file, 0o644))
	if _, err := s.CopiedOnWrite("alice"); err == nil {
		t.Error("got no error about a file that others may read")
	}
}
