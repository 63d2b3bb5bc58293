package main

import (
	"bytes"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sourceThatFails is the library of a source that fails without an errno, as winbind's does
// when winbindd is down.
const sourceThatFails = `
#include <errno.h>
#include <nss.h>
#include <pwd.h>
enum nss_status _nss_hesiod_getpwnam_r(const char *name, struct passwd *entry, char *room,
	size_t size, int *error)
{
	(void)name, (void)entry, (void)room, (void)size;
	*error = errno = 0;
	return NSS_STATUS_UNAVAIL;
}
enum nss_status _nss_hesiod_getpwuid_r(uid_t uid, struct passwd *entry, char *room,
	size_t size, int *error)
{
	(void)uid;
	return _nss_hesiod_getpwnam_r(0, entry, room, size, error);
}
`

// outages are lines of nsswitch.conf with which no one can tell whether a user exists who is
// not in /etc/passwd.
var outages = map[string]string{
	"the last source's library is missing":  "passwd: files nosuchsource\n",
	"the first source's library is missing": "passwd: nosuchsource files\n",
	"the only source's library is missing":  "passwd: nosuchsource\n",
	"the last source fails silently":        "passwd: files hesiod\n",
	"the first source fails silently":       "passwd: hesiod files\n",
	"sources have actions": "passwd: files [SUCCESS=return] hesiod " +
		"[NOTFOUND=return] files\n",
	"a source that returns unless it fails": "passwd: hesiod [!UNAVAIL=return] files\n",
	"a second line names it":                "passwd: files\npasswd:hesiod\n",
	"no source is named":                    "passwd:\n",
	"an action does not end":                "passwd: files [NOTFOUND=continue\n",
	"a source with a path in its name":      "passwd: files ../files\n",
}

// sound are those with which "no such user" is certain.
var sound = map[string]string{
	"files alone":                      "passwd: files\n",
	"files and compat":                 "  passwd :\tfiles compat # and nothing else\n",
	"nothing is said of users":         "group: files nosuchsource\n",
	"a source without users":           "passwd: files dns\n",
	"what fails, but only in comments": "#passwd: hesiod\npasswd: files # hesiod\n",
}

// withSources runs enroll where this is nsswitch.conf and hesiod's library is the one that fails.
type withSources struct {
	t        *testing.T
	exe, lib string
}

func newSources(t *testing.T, exe string) withSources {
	t.Helper()
	return newSource(t, exe, sourceThatFails)
}

// newSource takes the text of hesiod's library.
func newSource(t *testing.T, exe, text string) withSources {
	t.Helper()
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("mount namespaces do not work here: %v: %s", err, out)
	}
	dir := t.TempDir()
	source, lib := dir+"/source.c", dir+"/libnss_hesiod.so.2"
	if err := os.WriteFile(source, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("gcc", "-shared", "-fPIC", "-o", lib,
		source).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return withSources{t, exe, lib}
}

func (w withSources) run(nsswitch string, args ...string) (out, errs string, err error) {
	w.t.Helper()
	file := filepath.Join(w.t.TempDir(), "nsswitch.conf")
	if err := os.WriteFile(file, []byte(nsswitch), 0o644); err != nil {
		w.t.Fatal(err)
	}
	const line = `for dir in /lib/*-linux-gnu /lib64; do
		if [ -e $dir/libnss_hesiod.so.2 ]; then
			mount --bind "$2" $(readlink -f $dir/libnss_hesiod.so.2); fi
	done
	mount --bind "$1" /etc/nsswitch.conf; shift 2; exec "$@"`
	cmd := exec.Command("unshare", append([]string{"--mount", "sh", "-ec", line, "sh", file,
		w.lib, w.exe}, args...)...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err = cmd.Run()
	return o.String(), e.String(), err
}

// gone enrolls a user whom the name service then does not know any more: "games", renamed.
func gone(t *testing.T, exe, root string) {
	t.Helper()
	wipe(t, root)
	runs(t, exe, "add", "totp", "--user", "games", "--yes")
	for _, dir := range []string{"/etc/latchkey/users/", "/var/lib/latchkey/users/"} {
		if err := os.Rename(root+dir+"games", root+dir+"latchkey-gone"); err != nil {
			t.Fatal(err)
		}
	}
}

// filesBelow are all files of records and states, by path.
func filesBelow(t *testing.T, root string) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, dir := range []string{"/etc/latchkey/users", "/var/lib/latchkey"} {
		err := filepath.WalkDir(root+dir, func(path string, d os.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			text, err := os.ReadFile(path)
			all[path] = string(text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

// usersFiles are those of records and states alone.
func usersFiles(t *testing.T, root string) map[string]string {
	t.Helper()
	all := filesBelow(t, root)
	maps.DeleteFunc(all, func(path, _ string) bool {
		return filepath.Base(filepath.Dir(path)) != "users"
	})
	return all
}

// FAULTS 18 and 35, as enroll meets them.
func TestAnOutageOfTheNameServiceIsNoDeletion(t *testing.T) {
	exe, root := underRoot(t)
	sources := newSources(t, exe)
	for name, nsswitch := range outages {
		t.Run(name, func(t *testing.T) {
			gone(t, exe, root)
			before := usersFiles(t, root)
			out, errs, err := sources.run(nsswitch, "list")
			if err == nil || !strings.Contains(out, "the name service cannot tell whether "+
				"there is a user") ||
				strings.Contains(out, "no such user") || strings.Contains(errs, "enroll reset") {
				t.Errorf("list: %v: %s%s", err, out, errs)
			}
			if out, errs, err := sources.run(nsswitch, "list", "--orphans"); err == nil ||
				out != "" || !strings.Contains(errs, "no orphans are listed") {
				t.Errorf("list --orphans: %v: %s%s", err, out, errs)
			}
			for _, args := range [][]string{{"reset", "latchkey-gone"},
				{"reset", "latchkey-gone", "--yes", "--json"},
				{"unlock", "latchkey-gone"}, {"bypass", "latchkey-gone"},
				{"invite", "latchkey-gone"},
				{"codes", "--yes", "--user", "latchkey-gone"},
				{"remove", "app", "--user", "latchkey-gone"}} {
				out, errs, err := sources.run(nsswitch, args...)
				if err == nil || out != "" || !strings.Contains(errs, "cannot tell") ||
					!strings.Contains(errs, "nothing was changed") {
					t.Errorf("%v: %v: %s%s", args, err, out, errs)
				}
			}
			if !maps.Equal(usersFiles(t, root), before) {
				t.Error("files were changed")
			}
			if _, errs, err := sources.run(nsswitch, "reset", "--delete-anyway",
				"latchkey-gone"); err != nil {
				t.Errorf("told to: %s", errs)
			}
			if left := usersFiles(t, root); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
			if out, errs, err := sources.run(nsswitch, "reset", "--delete-anyway",
				"latchkey-gone"); err == nil {
				t.Errorf("a name that was perhaps mistyped looks like a job done: %s%s", out, errs)
			}
		})
	}
}

func TestADeletedUserIsResetWhereEverySourceSaysSo(t *testing.T) {
	exe, root := underRoot(t)
	sources := newSources(t, exe)
	for name, nsswitch := range sound {
		t.Run(name, func(t *testing.T) {
			gone(t, exe, root)
			if out, errs, err := sources.run(nsswitch, "list"); err == nil ||
				!strings.Contains(out, `no such user: "latchkey-gone"`) {
				t.Errorf("list: %v: %s%s", err, out, errs)
			}
			if out, errs, err := sources.run(nsswitch, "list", "--orphans"); err != nil ||
				!strings.HasPrefix(out, "latchkey-gone        no such account; enrolled with uid ") ||
				strings.Count(out, "\n") != 1 {
				t.Errorf("list --orphans: %v: %s%s", err, out, errs)
			}
			if out, errs, err := sources.run(nsswitch, "reset", "latchkey-gone"); err != nil {
				t.Errorf("%v: %s%s", err, out, errs)
			}
			if left := usersFiles(t, root); len(left) > 0 {
				t.Errorf("left: %q", left)
			}
			if out, errs, err := sources.run(nsswitch, "reset", "latchkey-gone"); err == nil ||
				!strings.Contains(errs, "no such user") {
				t.Errorf("again: %v: %s%s", err, out, errs)
			}
		})
	}
}
