package record_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

func TestInvalidNamesAreRefused(t *testing.T) {
	root, s := saved(t)
	testroot.Unchanged(t, root.Record("alice"))
	testroot.Unchanged(t, root.Key())
	for what, name := range map[string]string{
		"nothing":            "",
		"the directory":      ".",
		"the one above":      "..",
		"a path upwards":     "../../../var/lib/latchkey/key",
		"a path":             "a/b",
		"an absolute path":   "/etc/passwd",
		"a hidden file":      ".new-0123",
		"an option":          "-rf",
		"a line feed":        "alice\nverdict=allow",
		"a carriage return":  "alice\r",
		"an escape":          "alice\x1b[2J",
		"a NUL":              "alice\x00",
		"a delete":           "alice\x7f",
		"a C1 control":       "alice\u0085",
		"invalid UTF-8":      "alice\xff",
		"256 bytes":          strings.Repeat("x", 256),
		"10,000 bytes":       strings.Repeat("x", 10000),
		"a slash at the end": "alice/",
	} {
		if err := record.CheckName(name); !errors.Is(err, record.ErrName) {
			t.Errorf("%s: checked: %v", what, err)
		}
		if _, err := s.Load(record.User{Name: name, UID: 1000}); !errors.Is(err, record.ErrName) {
			t.Errorf("%s: loaded: %v", what, err)
		}
		if err := s.Remove(name); !errors.Is(err, record.ErrName) {
			t.Errorf("%s: removed: %v", what, err)
		}
		r := alice()
		r.Name = name
		if err := s.Save(r); !errors.Is(err, record.ErrName) {
			t.Errorf("%s: saved: %v", what, err)
		}
	}
	if list, err := os.ReadDir(s.Path); err != nil || len(list) != 1 {
		t.Errorf("the directory has %v, %v", list, err)
	}
}

func TestValidNamesAreAccepted(t *testing.T) {
	for _, name := range []string{
		"alice", "a", "Alice.Smith", "alice-", "_apt", "1000", `DOMAIN\user`, "user@realm.example",
		"jürgen", "用户", "host$",
		"with space", "~", "new-0123", strings.Repeat("x", 255),
	} {
		s := testroot.New(t).Keyring().Records
		r := alice(testroot.TOTP("phone"))
		r.Name = name
		if err := s.Save(r); err != nil {
			t.Errorf("%q: saved: %v", name, err)
			continue
		}
		if _, err := s.Load(record.User{Name: name, UID: 1000}); err != nil {
			t.Errorf("%q: loaded: %v", name, err)
		}
	}
}
