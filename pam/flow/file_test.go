package flow_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// unreadable are ways in which a file can be there and must not be used.
var unreadable = []struct {
	name string
	make func(t *testing.T, file string)
	says string
}{
	{"with no bytes", func(t *testing.T, file string) { testroot.Write(t, file, nil) }, "damaged"},
	{"truncated", func(t *testing.T, file string) { testroot.Must(t, os.Truncate(file, 100)) },
		"damaged"},
	{"with a byte more", func(t *testing.T, file string) {
		testroot.Write(t, file, append(testroot.Read(t, file), 'x'))
	}, "damaged"},
	{"full of zeros", func(t *testing.T,
		file string) {
		testroot.Write(t, file, make([]byte, 8192))
	}, "damaged"},
	{"of mode 0644", func(t *testing.T, file string) { testroot.Must(t, os.Chmod(file, 0o644)) },
		"mode 0644"},
	{"of mode 0660", func(t *testing.T, file string) { testroot.Must(t, os.Chmod(file, 0o660)) },
		"mode 0660"},
	{"that is a symbolic link", func(t *testing.T, file string) {
		testroot.Must(t, os.Rename(file, file+"2"))
		testroot.Must(t, os.Symlink(file+"2", file))
	}, "symbolic links"},
	{"with a second name", func(t *testing.T,
		file string) {
		testroot.Must(t, os.Link(file, file+"2"))
	}, "hard links"},
	{"that is a FIFO", func(t *testing.T, file string) {
		testroot.Must(t, os.Remove(file))
		testroot.Must(t, unix.Mkfifo(file, 0o600))
	}, "not a regular file"},
	{"that belongs to another user", func(t *testing.T,
		file string) {
		testroot.GiveAway(t, file)
	}, "owned by uid"},
	{"in a directory that others may write", func(t *testing.T, file string) {
		testroot.Must(t, os.Chmod(filepath.Dir(file), 0o777))
	}, "writable by others"},
}

// directories are ways in which it stays unknown whether a file is there.
var directories = []struct {
	name string
	make func(t *testing.T, dir string)
	says string
}{
	{"that is missing", func(t *testing.T, dir string) { testroot.Must(t, os.RemoveAll(dir)) },
		"no such file or directory"},
	{"that is a file", func(t *testing.T, dir string) {
		testroot.Must(t, os.RemoveAll(dir))
		testroot.Write(t, dir, nil)
	}, "not a directory"},
	{"that leads nowhere", func(t *testing.T, dir string) {
		testroot.Must(t, os.RemoveAll(dir))
		testroot.Must(t, os.Symlink("nowhere", dir))
	}, "no such file or directory"},
	{"that leads to itself", func(t *testing.T, dir string) {
		testroot.Must(t, os.RemoveAll(dir))
		testroot.Must(t, os.Symlink(dir, dir))
	}, "symbolic links"},
	{"that others may write", func(t *testing.T,
		dir string) {
		testroot.Must(t, os.Chmod(dir, 0o777))
	}, "writable by others"},
	{"that may not be searched", func(t *testing.T,
		dir string) {
		testroot.Must(t, os.Chmod(dir, 0))
	}, "permission denied"},
	{"that belongs to another user", func(t *testing.T, dir string) { testroot.GiveAway(t, dir) },
		"owned by uid"},
}

// kept demands that a file that is one is kept as it is.
func kept(t *testing.T, file string) {
	t.Helper()
	if st, err := os.Lstat(file); err == nil && st.Mode().IsRegular() {
		testroot.Unchanged(t, file)
	}
}

func TestUnreadableRecordIsDenied(t *testing.T) {
	for _, c := range unreadable {
		for _, unenrolled := range []string{"deny", "allow"} {
			t.Run(c.name+", unenrolled "+unenrolled, func(t *testing.T) {
				w := newWorld(t, "unenrolled = \""+unenrolled+"\"\n")
				c.make(t, w.root.Record("alice"))
				kept(t, w.root.Record("alice"))
				o := w.login(request())
				w.expect(o, false, verdict.Record, unavailable, sorryText)
				w.detail(o, c.says)
			})
		}
	}
}

func TestUnreadableStateIsDenied(t *testing.T) {
	for _, c := range unreadable {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, `unenrolled = "allow"`)
			c.make(t, w.root.State("alice"))
			kept(t, w.root.State("alice"))
			o := w.login(request())
			w.expect(o, false, verdict.State, unavailable, sorryText)
			w.detail(o, c.says)
			w.detail(o, "run: enroll reset alice")
		})
	}
}

func TestLoginIsDeniedWhereItIsUnknownWhetherARecordExists(t *testing.T) {
	for _, c := range directories {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, `unenrolled = "allow"`)
			testroot.Must(t, os.Remove(w.root.Record("alice")))
			dir := w.root.Join("etc/latchkey/users")
			c.make(t, dir)
			testroot.Unprivileged(t, func() {
				o := w.login(request())
				w.expect(o, false, verdict.Record, unavailable, sorryText)
				w.detail(o, c.says)
			})
			os.Chmod(dir, 0o700)
		})
	}
}

func TestRecordWhoseStateCannotBeReachedIsDenied(t *testing.T) {
	for _, c := range directories {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t, `unenrolled = "allow"`)
			testroot.Unchanged(t, w.root.Record("alice"))
			dir := w.root.Join("var/lib/latchkey/users")
			c.make(t, dir)
			testroot.Unprivileged(t, func() {
				o := w.login(request())
				w.expect(o, false, verdict.State, unavailable, sorryText)
				w.detail(o, c.says)
			})
			os.Chmod(dir, 0o700)
		})
	}
}

func TestRecordOrStateOfANewerVersionIsDeniedAndSaysSo(t *testing.T) {
	w := newWorld(t, "")
	file := strings.Replace(string(testroot.Read(t, w.root.Record("alice"))), "version = 1",
		"version = 3", 1)
	testroot.Write(t, w.root.Record("alice"), []byte(file))
	testroot.Unchanged(t, w.root.Record("alice"))
	o := w.login(request())
	w.expect(o, false, verdict.Record, unavailable, sorryText)
	w.detail(o, "another version of latchkey")
}

func TestMissingHostKeyIsDenied(t *testing.T) {
	w := newWorld(t, `unenrolled = "allow"`)
	testroot.Must(t, os.Remove(w.root.Key()))
	o := w.login(request())
	w.expect(o, false, verdict.Record, unavailable, sorryText)
	w.detail(o, "host key is missing")
}

func TestRecordWithoutAStateIsDeniedAndTheLogNamesTheCommand(t *testing.T) {
	w := newWorld(t, `unenrolled = "allow"`)
	testroot.Must(t, os.Remove(w.root.State("alice")))
	o := w.login(request())
	w.expect(o, false, verdict.State, unavailable, sorryText)
	w.detail(o, "enroll reset alice")
}

func TestLockHeldByAnotherProcessIsADenialWithoutAWait(t *testing.T) {
	w := newWorld(t, "")
	w.held = true
	w.untouched()
	account, err := w.root.Keyring().Open(record.User{Name: "alice", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	o := w.login(request())
	w.expect(o, false, verdict.State, unavailable, sorryText)
	w.detail(o, "locked by another process")
	if strings.Contains(o.Detail, "reset") {
		t.Errorf("the log says %q", o.Detail)
	}
}

// pilot begins a rule for alice, and others one for someone else.
const (
	pilot  = "[[rule]]\nusers = ['alice']\nrequire = 'code'\n"
	others = "[[rule]]\nusers = ['bob']\nrequire = 'code'\n"
)

func TestUserWithoutRecordIsUnenrolled(t *testing.T) {
	for policy, want := range map[string]struct {
		allow bool
		pam   int
		shown string
	}{
		``:                       {false, maxTries, resetText},
		`unenrolled = "deny"`:    {false, maxTries, resetText},
		`unenrolled = "allow"`:   {true, success, ""},
		`enroll_by = 2027-01-30`: {false, maxTries, resetText},
		`enroll_by = 2027-01-31`: {true, success,
			"When 2027-01-31 is over you need a second factor to log in.\n" +
				"To set it up, run: enroll"},
		`enroll_by = 2027-02-01`: {true, success,
			"When 2027-02-01 is over you need a second factor to log in.\n" +
				"To set it up, run: enroll"},
		// A rule's own word is from today, and its date outweighs the file's.
		"enroll_by = 2027-02-01\n" + pilot + `unenrolled = "deny"`: {false, maxTries, resetText},
		"unenrolled = 'allow'\n" + pilot + `unenrolled = "deny"`:   {false, maxTries, resetText},
		pilot + `unenrolled = "allow"`:                             {true, success, ""},
		pilot + `enroll_by = 2027-02-01`: {true, success,
			"When 2027-02-01 is over you need a second factor to log in.\n" +
				"To set it up, run: enroll"},
		"enroll_by = 2027-02-01\n" + pilot +
			`enroll_by = 2027-01-30`: {false, maxTries, resetText},
		"unenrolled = 'allow'\n" + pilot + "enroll_by = 2027-01-30": {true, success, ""},
		"unenrolled = 'allow'\n" + others + `unenrolled = "deny"`:   {true, success, ""},
		"enroll_by = 2027-01-30\n" + others +
			`enroll_by = 2027-02-01`: {false, maxTries, resetText},
	} {
		t.Run(policy, func(t *testing.T) {
			w := newWorld(t, policy)
			testroot.Must(t, w.root.Store().Reset(enrollment.ByRoot(), "alice"))
			o := w.login(request())
			w.expect(o, want.allow, verdict.Unenrolled, want.pam, want.shown)
			if o.Method != "" || o.Tries != 0 {
				t.Errorf("outcome is %+v", o)
			}
			for _, path := range []string{w.root.Record("alice"), w.root.State("alice")} {
				if _, err := os.Lstat(path); err == nil {
					t.Errorf("%s was made", path)
				}
			}
		})
	}
}
