package grace

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// machine is a root folder with these files.
func machine(t *testing.T, files map[string]string) (root string) {
	t.Helper()
	root = t.TempDir()
	for name, text := range files {
		path := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return root
}

// process is the files of /proc for a process that began so many seconds after the machine.
func process(files map[string]string, pid, parent int, title string, began int) {
	files[fmt.Sprintf("proc/%d/cmdline", pid)] = title
	files[fmt.Sprintf("proc/%d/stat", pid)] = fmt.Sprintf("%d (sshd: a) b) S %d 1 1 0 -1 0 0 "+
		"0 0 0 0 0 0 0 20 0 1 0 %d 0 0", pid, parent, began*ticks)
}

// serving is a login in process 30, whose connection began 20 seconds ago at a server with this
// title.
func serving(title string, config map[string]string) map[string]string {
	files := map[string]string{"proc/uptime": "1020.00 5.0\n"}
	process(files, 10, 1, title, 100)
	process(files, 20, 10, "sshd: alice [priv]", 1000)
	process(files, 30, 20, "sshd: alice [pam]", 1015)
	for name, text := range config {
		files[name] = text
	}
	return files
}

const listener = "sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"

func TestTheTimeLeftIsWhatSSHDGivesLessWhatTheConnectionHasUsed(t *testing.T) {
	include := map[string]string{
		"etc/ssh/sshd_config": "# LoginGraceTime 1\n" +
			"Include /etc/ssh/sshd_config.d/*.conf\nLoginGraceTime 30\n",
		"etc/ssh/sshd_config.d/00.conf": "logingracetime=10m # enough\n",
	}
	other := map[string]string{"etc/ssh/sshd_config": "LoginGraceTime 30\n",
		"suite/sshd_config": "LoginGraceTime \"1h30m\"\n"}
	for name, c := range map[string]struct {
		files map[string]string
		want  time.Duration
	}{
		"no configuration": {serving(listener, nil), 100 * time.Second},
		"sshd's default": {serving(listener,
			map[string]string{"etc/ssh/sshd_config": "Port 22\n"}), 100 * time.Second},
		"the first value wins": {serving(listener, include), 580 * time.Second},
		"another file": {serving("sshd: /usr/sbin/sshd -D -f /suite/sshd_config "+
			"[listener] 0 of 10-100 startups", other), 5380 * time.Second},
		"an option": {serving("sshd: /usr/sbin/sshd -o LoginGraceTime=50 "+
			"[listener] 0 of 10-100 startups", other), 30 * time.Second},
		"a link to sshd": {serving("other: /suite/other -D -f /suite/sshd_config [listener] 0 of "+
			"10-100 startups", other), 5380 * time.Second},
		"an older option": {serving("sshd: /usr/sbin/sshd -g 60 [listener] 0 of 10-100 "+
			"startups", other), 40 * time.Second},
		"a value that is wrong": {serving(listener,
			map[string]string{"etc/ssh/sshd_config": "LoginGraceTime soon\n"}), 100 * time.Second},
		"no server that listens": {map[string]string{
			"etc/ssh/sshd_config": "LoginGraceTime 30\n", "proc/30/cmdline": "sshd: alice [pam]",
			"proc/uptime": "x",
		}, 30 * time.Second},
	} {
		if got, limited := Left(machine(t, c.files), 30); got != c.want || !limited {
			t.Errorf("%s: got %v, %v, want %v", name, got, limited, c.want)
		}
	}
}

func TestZeroIsNoLimit(t *testing.T) {
	files := serving(listener, map[string]string{"etc/ssh/sshd_config": "LoginGraceTime 0\n"})
	if left, limited := Left(machine(t, files), 30); limited {
		t.Errorf("got a limit, %v", left)
	}
}

func TestIncludesThatGoInCirclesEnd(t *testing.T) {
	files := serving(listener, map[string]string{"etc/ssh/sshd_config": "Include sshd_config\n" +
		"LoginGraceTime 50\n"})
	if left, _ := Left(machine(t, files), 30); left != 30*time.Second {
		t.Errorf("got %v, want 30s", left)
	}
}
