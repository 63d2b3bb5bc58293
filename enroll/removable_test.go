package main

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"latchkey/enroll/setuid"
)

// runRemovable runs enroll removable below root.
func runRemovable(root string, args ...string) (said string, exit int) {
	var out bytes.Buffer
	p := newProgram(setuid.Privilege{}, root)
	p.Console = silent(&out, &out)
	exit = p.run(append([]string{"removable"}, args...))
	return out.String(), exit
}

// FAULTS 44.
func TestThePackageIsNotRemovableWhilePAMNeedsIt(t *testing.T) {
	for name, c := range map[string]struct {
		file, text, says string
		exit             int
	}{
		"nothing": {"sshd", "auth required pam_unix.so\n", "", exitDone},
		"a line": {"sshd", "\n-auth required pam_latchkey.so\n",
			"let no one in: /etc/pam.d/sshd\nenroll: hint: remove its lines, then remove " +
				"latchkey again: sed -i '2d' /etc/pam.d/sshd\n", exitFailed},
		"several lines": {"su", "auth required \\\npam_latchkey.so\nauth required " +
			"pam_unix.so\naccount required pam_latchkey.so\n", "sed -i '1,2d;4d' /etc/pam.d/su\n",
			exitFailed},
		"an odd name": {"it's", "auth required pam_latchkey.so\n",
			`sed -i '1d' '/etc/pam.d/it'\''s'` + "\n", exitFailed},
		"a jump": {"sshd", "auth [success=1 default=ignore] pam_unix.so\nauth requisite " +
			"pam_deny.so\nauth required pam_latchkey.so\n",
			"Other lines of sshd jump over them or to them", exitFailed},
		"the profile's": {"common-auth", "auth required pam_latchkey.so\n",
			"let no one in: /etc/pam.d/common-auth\n", exitFailed},
	} {
		root := t.TempDir()
		put(t, root+"/etc/pam.d/"+c.file, c.text, 0o644)
		said, exit := runRemovable(root)
		if exit != c.exit || !strings.Contains(said, c.says) || c.says == "" && said != "" {
			t.Errorf("%s: exit status %d, want %d; said %q, want %q", name, exit, c.exit, said,
				c.says)
		}
		want := c.exit
		if c.file == "common-auth" {
			want = exitDone
		}
		if said, exit := runRemovable(root, "--but-profile"); exit != want {
			t.Errorf("%s, but for the profile: exit status %d, want %d: %s", name, exit, want,
				said)
		}
	}
}

func TestWhatCannotBeReadIsNamedAndStopsTheRemoval(t *testing.T) {
	root := t.TempDir()
	put(t, root+"/etc/pam.d/sshd", "auth required pam_unix.so\n", 0o644)
	if err := os.Symlink("common-auth", root+"/etc/pam.d/common-auth"); err != nil {
		t.Fatal(err)
	}
	for _, args := range [][]string{nil, {"--but-profile"}} {
		said, exit := runRemovable(root, args...)
		if want := "still needed: /etc/pam.d/common-auth: "; exit != exitFailed ||
			!strings.Contains(said, want) {
			t.Errorf("exit status %d, want %d; said %q, want %q", exit, exitFailed, said, want)
		}
	}
}
