package record_test

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestARecordIsLoadedAsItWasSaved(t *testing.T) {
	second := record.Device{
		ID: [8]byte{0xff}, Type: method.TOTP, Label: `"Yubi" \ größe`, Created: testroot.Noon,
		Secret: bytes.Repeat([]byte{0}, 128), Algorithm: "SHA512", Digits: 8,
		Period: 24 * time.Hour,
	}
	for _, r := range []*record.Record{
		alice(), alice(testroot.TOTP("phone")), alice(testroot.TOTP("phone"), second),
	} {
		s := testroot.New(t).Keyring().Records
		testroot.Must(t, s.Save(r))
		if got, err := s.Load(record.User{Name: "alice", UID: 1000}); err != nil ||
			!reflect.DeepEqual(got, r) {
			t.Errorf("loaded %+v, %v", got, err)
		}
	}
}

func TestTheFileIsPrivateAndHasNoSecretInIt(t *testing.T) {
	root, _ := saved(t)
	secret := testroot.TOTP("phone").Secret
	for _, path := range []string{root.Record("alice"), root.Key()} {
		if st, err := os.Stat(path); err != nil || st.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", path, st.Mode(), err)
		}
		if bytes.Contains(testroot.Read(t, path), secret) {
			t.Errorf("%s has the secret", path)
		}
	}
}

func TestSameSecretIsSealedDifferentlyEachTime(t *testing.T) {
	root, s := saved(t)
	before := testroot.Read(t, root.Record("alice"))
	testroot.Must(t, s.Save(alice(testroot.TOTP("phone"))))
	if bytes.Equal(before, testroot.Read(t, root.Record("alice"))) {
		t.Error("two files with the same nonce")
	}
}

func TestRecordOfAnotherUserIsRefused(t *testing.T) {
	cases := []struct {
		name   string
		change func(t *testing.T, root testroot.Root)
		user   string
		uid    uint32
		says   string
	}{
		{"copied to another name", func(t *testing.T, root testroot.Root) {
			testroot.Write(t, root.Record("bob"), testroot.Read(t, root.Record("alice")))
		}, "bob", 1000, "made for another user"},
		{"of a uid that is now another's", func(t *testing.T, root testroot.Root) {}, "alice",
			1001, "made for another user"},
		{"made with another host key", func(t *testing.T, root testroot.Root) {
			testroot.Must(t, os.Remove(root.Record("alice")))
			testroot.Must(t, os.Remove(root.Key()))
			other, _ := saved(t)
			testroot.Write(t, root.Key(), testroot.Read(t, other.Key()))
			theirs, _ := saved(t)
			testroot.Write(t, root.Record("alice"), testroot.Read(t, theirs.Record("alice")))
		}, "alice", 1000, "another host key"},
		{"without a host key", func(t *testing.T, root testroot.Root) {
			testroot.Must(t, os.Remove(root.Key()))
		}, "alice", 1000, "host key is missing"},
		{"with a damaged host key", func(t *testing.T, root testroot.Root) {
			key := testroot.Read(t, root.Key())
			key[20] ^= 1
			testroot.Write(t, root.Key(), key)
		}, "alice", 1000, "host key is damaged"},
		{"with a host key that others can read", func(t *testing.T, root testroot.Root) {
			testroot.Must(t, os.Chmod(root.Key(), 0o640))
		}, "alice", 1000, "mode 0640"},
		{"longer than a record can be", func(t *testing.T, root testroot.Root) {
			testroot.Write(t, root.Record("alice"), make([]byte, 64<<10+1))
		}, "alice", 1000, "longer than"},
		{"of no bytes", func(t *testing.T, root testroot.Root) {
			testroot.Write(t, root.Record("alice"), nil)
		}, "alice", 1000, "changed or damaged"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			root, s := saved(t)
			c.change(t, root)
			testroot.Unchanged(t, root.Record("alice"))
			r, err := s.Load(record.User{Name: c.user, UID: c.uid})
			if r != nil || err == nil || !strings.Contains(err.Error(), c.says) ||
				errors.Is(err, fs.ErrNotExist) {
				t.Errorf("got error %v, want one that says %q", err, c.says)
			}
		})
	}
}

func TestARecordWithAnyByteChangedIsRefusedAndKept(t *testing.T) {
	root, s := saved(t)
	file := testroot.Read(t, root.Record("alice"))
	for i := range file {
		changed := bytes.Clone(file)
		changed[i] ^= 1 << (i % 8)
		testroot.Write(t, root.Record("alice"), changed)
		if _, err := s.Load(record.User{Name: "alice", UID: 1000}); err == nil {
			t.Errorf("byte %d: it was loaded", i)
		}
		if !bytes.Equal(testroot.Read(t, root.Record("alice")), changed) {
			t.Errorf("byte %d: the file was changed", i)
		}
	}
}

func TestATruncatedRecordIsRefused(t *testing.T) {
	root, s := saved(t)
	file := testroot.Read(t, root.Record("alice"))
	for n := range file {
		testroot.Write(t, root.Record("alice"), file[:n])
		if _, err := s.Load(record.User{Name: "alice", UID: 1000}); err == nil {
			t.Errorf("with %d of %d bytes it was loaded", n, len(file))
		}
	}
}

func TestARecordOfANewerVersionSaysSo(t *testing.T) {
	root, s := saved(t)
	file := bytes.Replace(testroot.Read(t, root.Record("alice")), []byte("version = 1"),
		[]byte("version = 3"), 1)
	testroot.Write(t, root.Record("alice"), file)
	testroot.Unchanged(t, root.Record("alice"))
	if _, err := s.Load(record.User{Name: "alice", UID: 1000}); !errors.Is(err, record.ErrNewer) ||
		!strings.Contains(err.Error(), "version 3") {
		t.Errorf("error is %v", err)
	}
}

func TestErrNotExistMeansTheRecordIsMissing(t *testing.T) {
	root, s := saved(t)
	if _, err := s.Load(record.User{Name: "bob", UID: 1000}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no record: %v", err)
	}
	testroot.Must(t, os.Remove(root.Key()))
	if _, err := s.Load(record.User{Name: "alice", UID: 1000}); !errors.Is(err, record.ErrNoKey) ||
		errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key: %v", err)
	}
	testroot.Must(t, os.RemoveAll(s.Path))
	if _, err := s.Load(record.User{Name: "bob", UID: 1000}); err == nil ||
		errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
}

func TestLostHostKeyIsNotReplacedWhileRecordsExist(t *testing.T) {
	root, s := saved(t)
	testroot.Must(t, os.Remove(root.Key()))
	testroot.Unchanged(t, root.Record("alice"))
	bob := alice(testroot.TOTP("phone"))
	bob.Name = "bob"
	if err := s.Save(bob); !errors.Is(err, record.ErrNoKey) {
		t.Errorf("error is %v", err)
	}
	for _, path := range []string{root.Key(), root.Record("bob")} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestHostKeyIsMadeOnceAndKept(t *testing.T) {
	root, s := saved(t)
	testroot.Unchanged(t, root.Key())
	testroot.Must(t, s.Save(alice(testroot.TOTP("tablet"))))
	testroot.Must(t, s.Remove("alice"))
	testroot.Must(t, s.Save(alice(testroot.TOTP("tablet"))))
}

func TestADamagedKeyIsNotReplaced(t *testing.T) {
	root, s := saved(t)
	testroot.Must(t, s.Remove("alice"))
	testroot.Write(t, root.Key(), []byte("latchkey-key-1 \n"))
	testroot.Unchanged(t, root.Key())
	if err := s.Save(alice()); err == nil {
		t.Error("it was saved")
	}
}

func TestASaveKilledAtAnySystemCallLeavesTheOldRecordOrTheNew(t *testing.T) {
	t.Parallel()
	_, s := saved(t)
	killed := testroot.KillAtEveryCall(t, "save", []string{s.Path, s.KeyPath},
		func(before string, completed bool) {
			r, err := s.Load(record.User{Name: "alice", UID: 1000})
			if err != nil || len(r.Devices) != 2 && (completed || len(r.Devices) != 1) {
				t.Errorf("killed before %s: %+v, %v", before, r, err)
			}
			testroot.Must(t, s.Save(alice(testroot.TOTP("phone"))))
		})
	if killed < 6 {
		t.Errorf("only %d runs were killed", killed)
	}
}

func TestTheFirstSaveKilledAtAnySystemCallLeavesNoRecordOrOne(t *testing.T) {
	t.Parallel()
	root := testroot.New(t)
	s := root.Keyring().Records.(record.Store)
	testroot.KillAtEveryCall(t, "save", []string{s.Path, s.KeyPath},
		func(before string, completed bool) {
			if _, err := s.Load(record.User{Name: "alice", UID: 1000}); err != nil &&
				(completed || !errors.Is(err, fs.ErrNotExist)) {
				t.Errorf("killed before %s: %v", before, err)
			}
			os.Remove(root.Record("alice"))
			os.Remove(root.Key())
		})
}

func TestNamesAreSorted(t *testing.T) {
	_, s := saved(t)
	for _, name := range []string{"zoe", "bob"} {
		r := alice(testroot.TOTP("phone"))
		r.Name = name
		testroot.Must(t, s.Save(r))
	}
	if names, err := s.Names(); err != nil ||
		!slices.Equal(names, []string{"alice", "bob", "zoe"}) {
		t.Errorf("%q, %v", names, err)
	}
}
