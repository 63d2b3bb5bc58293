package gate

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// FAULTS 18: libc says "not found" here although it could not look.
func TestNoSuchUserIsBelievedOnlyIfEverySourceSaysSo(t *testing.T) {
	if out, err := exec.Command("unshare", "--mount", "true").CombinedOutput(); err != nil {
		t.Skipf("mount namespaces do not work here: %v: %s", err, out)
	}
	for _, c := range []struct{ name, nsswitch, uid string }{
		{"files alone", "passwd: files\n", "none"},
		{"files, with a comment", " passwd :\tfiles # nosuchsource\n", "none"},
		{"nothing is said of users", "group: files nosuchsource\n", "none"},
		{"the library of the last source is missing", "passwd: files nosuchsource\n", "error"},
		{"the library of the first source is missing", "passwd: nosuchsource files\n", "error"},
		{"the library of the only source is missing", "passwd: nosuchsource\n", "error"},
		{"it goes on after a no", "passwd: files [NOTFOUND=continue] nosuchsource\n", "error"},
		{"the action does not matter", "passwd: files [NOTFOUND=return] nosuchsource\n", "error"},
		{"it goes on unless it is found", "passwd: files [!NOTFOUND=return] nosuchsource\n",
			"error"},
		{"a second line names it", "passwd: files\npasswd: nosuchsource\n", "error"},
		{"an action without an end", "passwd: files [\n", "error"},
		{"a path in a source's name", "passwd: files ../files\n", "error"},
		{"a very long name of a source", "passwd: files " + strings.Repeat("x", 5000) + "\n",
			"error"},
	} {
		t.Run(c.name, func(t *testing.T) {
			path, file := filepath.Join(writable(t), "notes"),
				filepath.Join(writable(t), "nsswitch.conf")
			if err := os.WriteFile(file, []byte(c.nsswitch), 0o644); err != nil {
				t.Fatal(err)
			}
			h := newHost(t, must(t, buildModule), "notes="+path, send("V2 allow"))
			h.prefix = []string{
				"unshare", "--mount", "sh", "-ec",
				`mount --bind "$0" /etc/nsswitch.conf; exec "$@"`, file,
			}
			wantUnharmed(t, h.run(t, "names=absent"), pamSuccess)
			hello := notes(t, path)["hello"][0]
			if !strings.Contains(hello, "\x00name=\x00uid="+c.uid+"\x00") {
				t.Errorf("got %q, want uid=%s", hello, c.uid)
			}
		})
	}
}
