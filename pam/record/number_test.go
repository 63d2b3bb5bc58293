package record_test

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"

	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestNumberIDDependsOnTheNumberAndTheHostKey(t *testing.T) {
	root, other := testroot.New(t), testroot.New(t)
	id := func(root testroot.Root, number string) [8]byte {
		id, err := root.Keyring().Records.NumberID(number)
		testroot.Must(t, err)
		return id
	}
	first := id(root, "+15551234567")
	if first == ([8]byte{}) {
		t.Error("got the zero id")
	}
	if again := id(root, "+15551234567"); again != first {
		t.Errorf("got %x, then %x; want the same", first, again)
	}
	if another := id(root, "+15551234568"); another == first {
		t.Errorf("got %x for two numbers", first)
	}
	if elsewhere := id(other, "+15551234567"); elsewhere == first {
		t.Errorf("got %x on two hosts", first)
	}
}

func TestNumberHasNoIDWithoutTheHostKey(t *testing.T) {
	root, s := saved(t)
	testroot.Must(t, os.Remove(root.Key()))
	if id, err := s.NumberID("+15551234567"); !errors.Is(err, record.ErrNoKey) || id != [8]byte{} {
		t.Errorf("lost: got %x, %v; want ErrNoKey", id, err)
	}
	testroot.Write(t, root.Key(), []byte("latchkey-key-1 damaged\n"))
	if id, err := s.NumberID("+15551234567"); err == nil || id != [8]byte{} {
		t.Errorf("damaged: got %x, %v; want an error", id, err)
	}
}

func TestUIDIsReadWithoutTheHostKey(t *testing.T) {
	root, s := saved(t)
	testroot.Must(t, os.Remove(root.Key()))
	if uid, err := s.UID("alice"); uid != 1000 || err != nil {
		t.Errorf("got %d, %v; want 1000", uid, err)
	}
	if _, err := s.UID("bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want ErrNotExist", err)
	}
	text := strings.Replace(string(testroot.Read(t, root.Record("alice"))), "uid = ", "id = ", 1)
	testroot.Write(t, root.Record("alice"), []byte(text))
	if _, err := s.UID("alice"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got error %v, want one that is not ErrNotExist", err)
	}
}

func TestRemoveTakesARecordAway(t *testing.T) {
	root, s := saved(t)
	testroot.Must(t, s.Remove("alice"))
	if _, err := os.Stat(root.Record("alice")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v, want no file", err)
	}
	if err := s.Remove("alice"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("again: got error %v, want ErrNotExist", err)
	}
}

func TestSweepTakesOnlyTemporaryFilesAway(t *testing.T) {
	root, s := saved(t)
	testroot.Write(t, root.Join("etc/latchkey/users/.new-1"), nil)
	before, err := os.ReadDir(root.Join("etc/latchkey/users"))
	testroot.Must(t, err)
	testroot.Must(t, s.Sweep())
	after, err := os.ReadDir(root.Join("etc/latchkey/users"))
	testroot.Must(t, err)
	if len(before) != 2 || len(after) != 1 || after[0].Name() != "alice" {
		t.Errorf("got %v, then %v; want alice's record alone to stay", before, after)
	}
	for _, broken := range []func() error{s.Sweep, func() error { return s.Remove("alice") }} {
		testroot.Must(t, os.Chmod(root.Join("etc/latchkey/users"), 0o777))
		if err := broken(); err == nil {
			t.Error("in a directory that others may write: got no error")
		}
	}
}

func TestTrustTagDependsOnTheTextAndTheHostKey(t *testing.T) {
	root, s := saved(t)
	_, other := saved(t)
	tag := func(s record.Store, text string) any {
		tag, err := s.TrustTag(text)
		testroot.Must(t, err)
		return tag
	}
	first := tag(s, "one")
	if again := tag(s, "one"); again != first {
		t.Errorf("got %x, then %x; want the same", first, again)
	}
	if another := tag(s, "two"); another == first {
		t.Errorf("got %x for two texts", first)
	}
	if elsewhere := tag(other, "one"); elsewhere == first {
		t.Errorf("got %x on two hosts", first)
	}
	testroot.Must(t, os.Remove(root.Key()))
	if _, err := s.TrustTag("one"); !errors.Is(err, record.ErrNoKey) {
		t.Errorf("got error %v, want ErrNoKey", err)
	}
}
