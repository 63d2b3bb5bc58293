package doctor

import (
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// FAULTS 37
func TestRenamedAccountsSecondNamesAndLostRecordsAreNamed(t *testing.T) {
	const passwd = "root:x:0:0::/:/bin/sh\nlatchkey:x:101:101::/:/bin/false\n"
	for name, c := range map[string]struct {
		passwd string
		lost   bool
		want   string // "" for nothing
	}{
		"as enrolled": {"alice:x:1000:1000::/:/bin/sh\n", false, ""},
		"renamed": {"alicia:x:1000:1000::/:/bin/sh\n", false,
			"error: /etc/latchkey/users/alice: uid 1000 is now called alicia"},
		"a second name": {"alice:x:1000:1000::/:/bin/sh\nalicia:x:1000:1000::/:/bin/sh\n", false,
			"warning: /etc/passwd: alicia has the uid of alice"},
		"a record that is lost": {"alice:x:1000:1000::/:/bin/sh\n", true,
			"error: /etc/latchkey/users/alice: record: "},
		"gone": {"", false, "error: /etc/latchkey/users/alice: no such user"},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			installed(t, root)
			testroot.Root(root).Enroll(t, "alice", 1000, testroot.TOTP("app"))
			put(t, root, "/etc/passwd", passwd+c.passwd, 0o644)
			if c.lost {
				remove(t, root+"/etc/latchkey/users/alice")
			}
			got := strings.Join(examined(doctorIn(root).checkRecords()), "; ")
			if c.want == "" && got != "" || !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
