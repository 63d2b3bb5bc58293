package preview

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/pam/testroot"
)

// machine is a root with these files.
func machine(t *testing.T, files map[string]string) string {
	t.Helper()
	root := t.TempDir()
	for path, text := range files {
		testroot.Must(t, os.MkdirAll(filepath.Dir(root+path), 0o755))
		testroot.Must(t, os.WriteFile(root+path, []byte(text), 0o644))
	}
	return root
}

func TestAPreviewShowsTheMachineWithTheChangedFiles(t *testing.T) {
	root := machine(t, map[string]string{"/etc/pam.d/sshd": "old", "/etc/pam.d/other": "other",
		"/etc/passwd": "users", "/usr/lib/pam.d/sudo": "vendor", "/etc/ssh/moduli": "moduli",
		"/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nPort 22\n" +
			"Include '/etc/ssh/a b.conf' /opt/../opt/*.conf\n",
		"/etc/ssh/a b.conf": "Port 23\n", "/opt/x.conf": "Include /opt/deeper\nPort 25\n",
		"/opt/deeper": "Port 24\n", "/opt/.hidden.conf": "Port 26\n",
		"/etc/ssh/sshd_config.d/50-x.conf": "Include sub/*.conf\nUsePAM no\n"})
	p, err := Make(t.TempDir(), root, map[string]string{"/etc/pam.d/sshd": "new",
		"/etc/pam.d/sudo": "copied", "/etc/ssh/sshd_config.d/00-latchkey.conf": "UsePAM yes\n"})
	testroot.Must(t, err)
	for path, want := range map[string]string{"/etc/pam.d/sshd": "new", "/etc/pam.d/other": "other",
		"/etc/pam.d/sudo": "copied", "/etc/passwd": "users", "/usr/lib/pam.d/sudo": "vendor",
		"/etc/ssh/moduli": "moduli", "/etc/ssh/sshd_config.d/00-latchkey.conf": "UsePAM yes\n"} {
		if got := string(testroot.Read(t, p.Root+path)); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	if got := string(testroot.Read(t, root+"/etc/pam.d/sshd")); got != "old" {
		t.Errorf("the machine's own file: got %q", got)
	}
	// sshd reads the same settings from the copy that it is shown.
	for place, root := range map[string]string{"doctor": p.Root, "sshd": ""} {
		file := "/etc/ssh/sshd_config"
		if root == "" {
			file = p.Root + asks + file
		}
		c, err := config.Read(root, file)
		testroot.Must(t, err)
		var got []string
		for _, s := range c.Settings {
			got = append(got, s.Keyword+" "+s.Value())
		}
		if text := strings.Join(got, ", "); text != "usepam yes, usepam no, port 22, "+
			"port 23, port 24, port 25" {
			t.Errorf("%s reads %s", place, text)
		}
	}
	if got := p.Plain(p.Root + asks + "/etc/ssh/sshd_config:1 and " + p.Root + "/etc/x"); got !=
		"/etc/ssh/sshd_config:1 and /etc/x" {
		t.Errorf("got %q", got)
	}
	testroot.Must(t, p.Remove())
	if got := string(testroot.Read(t, root+"/etc/passwd")); got != "users" {
		t.Errorf("after its removal: got %q", got)
	}
}
