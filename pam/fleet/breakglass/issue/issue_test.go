package issue_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/fleet/breakglass"
	"latchkey/pam/fleet/breakglass/issue"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

var alice = record.User{Name: "alice", UID: 1000}

func own(root testroot.Root) *authority.Local {
	return &authority.Local{Keyring: breakglass.Keyring(string(root), safefile.Patience{}),
		Clock: func() time.Time { return testroot.Noon }}
}

func login() authority.Login {
	return authority.Login{User: alice, Methods: []method.Method{method.Recovery},
		Limits: limit.Guesses{Failures: limit.Rate{Count: 3, Window: time.Hour}, Lock: time.Hour}}
}

// typed is what came of a code.
func typed(t *testing.T, root testroot.Root, code string) authority.Result {
	t.Helper()
	code, possible := normalize.AnyCode(code)
	if !possible {
		t.Fatal("not a code")
	}
	g, err := own(root).Guess(authority.Guess{Login: login(), Code: code})
	testroot.Must(t, err)
	return g.Result
}

func issued(t *testing.T, root testroot.Root) []string {
	t.Helper()
	codes, err := issue.Codes(string(root), alice)
	testroot.Must(t, err)
	return codes
}

func TestCodesWorkOnceAndNewOnesEndTheOldAndALock(t *testing.T) {
	root := testroot.New(t)
	old := issued(t, root)
	if got := typed(t, root, old[0]); got != authority.Accepted {
		t.Errorf("got %s", got)
	}
	if got := typed(t, root, old[0]); got != authority.Replayed {
		t.Errorf("again: got %s", got)
	}
	if n, err := issue.Left(string(root), alice); n != len(old)-1 || err != nil {
		t.Errorf("got %d left, %v", n, err)
	}
	for _, wrong := range []string{"aaaaa-11111", "aaaaa-22222", "aaaaa-33333"} {
		typed(t, root, wrong)
	}
	if got := typed(t, root, old[1]); got != authority.Locked {
		t.Errorf("after 3 wrong ones: got %s, want it locked", got)
	}
	fresh := issued(t, root)
	if n, err := issue.Left(string(root), alice); n != len(fresh) || err != nil {
		t.Errorf("got %d left, %v", n, err)
	}
	if got := typed(t, root, old[1]); got != authority.Wrong {
		t.Errorf("an old one: got %s", got)
	}
	if got := typed(t, root, fresh[1]); got != authority.Accepted {
		t.Errorf("a new one: got %s", got)
	}
}

// keepsHashes demands that a stolen disk, or a backup, has no code of this host, and nothing of
// any other.
func keepsHashes(t *testing.T, root testroot.Root, codes []string) {
	t.Helper()
	err := filepath.Walk(root.Join(breakglass.Path),
		func(path string, info os.FileInfo, err error) error {
			testroot.Must(t, err)
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s: got mode %v", path, info.Mode())
			}
			if info.IsDir() {
				return nil
			}
			for _, code := range codes {
				if strings.Contains(string(testroot.Read(t, path)), code[:5]) {
					t.Errorf("%s has a code", path)
				}
			}
			return nil
		})
	testroot.Must(t, err)
	if _, err := os.Stat(root.Record("alice")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got a record among the host's own: %v", err)
	}
}

func TestCodesAreHashesForRootAloneListedAndRevoked(t *testing.T) {
	root := testroot.New(t)
	if names, err := issue.Names(string(root)); len(names) > 0 || err != nil {
		t.Errorf("got %q, %v", names, err)
	}
	if n, err := issue.Left(string(root), alice); n != 0 || err != nil {
		t.Errorf("got %d left, %v", n, err)
	}
	codes := issued(t, root)
	keepsHashes(t, root, codes)
	if names, err := issue.Names(string(root)); err != nil ||
		!reflect.DeepEqual(names, []string{"alice"}) {
		t.Errorf("got %q, %v", names, err)
	}
	testroot.Must(t, issue.Revoke(string(root), "alice"))
	code, _ := normalize.AnyCode(codes[0])
	if g, err := own(root).Guess(authority.Guess{Login: login(), Code: code}); err == nil {
		t.Errorf("got %+v for a code that was revoked", g)
	}
	if err := issue.Revoke(string(root), "alice"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}
