package boot

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"latchkey/pam/testroot"
)

// files are all below a root but folders.
func files(t *testing.T, root string) (all []string) {
	t.Helper()
	testroot.Must(t, filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			all = append(all, strings.TrimPrefix(path, root))
		}
		return err
	}))
	slices.Sort(all)
	return all
}

func TestEachWayToStartServicesIsUsedWhereItIsThere(t *testing.T) {
	for name, c := range map[string]struct{ folders, want []string }{
		"systemd": {[]string{"/etc/systemd/system"}, []string{
			"/etc/systemd/system/latchkey-rollback.service",
			"/etc/systemd/system/multi-user.target.wants/latchkey-rollback.service"}},
		"cron": {[]string{"/etc/cron.d"}, []string{"/etc/cron.d/latchkey-rollback"}},
		"System V's init": {[]string{"/etc/init.d", "/etc/rc2.d", "/etc/rc3.d", "/etc/rc4.d",
			"/etc/rc5.d"}, []string{"/etc/init.d/latchkey-rollback", "/etc/rc2.d/S99latchkey-rollback",
			"/etc/rc3.d/S99latchkey-rollback", "/etc/rc4.d/S99latchkey-rollback",
			"/etc/rc5.d/S99latchkey-rollback"}},
		"nothing": {[]string{"/etc/init.d"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			for _, folder := range c.folders {
				testroot.Must(t, os.MkdirAll(root+folder, 0o755))
			}
			for range 2 { // the second time it changes nothing
				testroot.Must(t, Arm(root, "/usr/bin/enroll"))
				if got := files(t, root); !slices.Equal(got, c.want) {
					t.Errorf("got %q, want %q", got, c.want)
				}
			}
			for _, file := range c.want {
				st, err := os.Lstat(root + file)
				if err != nil || st.Mode().IsRegular() &&
					!strings.Contains(string(testroot.Read(t, root+file)),
						"/usr/bin/enroll deactivate --due") {
					t.Errorf("%s does not run the command (%v)", file, err)
				}
			}
			for range 2 {
				testroot.Must(t, Disarm(root))
				if got := files(t, root); got != nil {
					t.Errorf("got %q left", got)
				}
			}
		})
	}
}

// FAULTS 20
func TestDisarmRemovesWhatAnArmThatWasKilledHasLeft(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"/etc/systemd/system", "/etc/cron.d", "/etc/init.d"} {
		testroot.Must(t, os.MkdirAll(root+folder, 0o755))
		testroot.Write(t, root+folder+"/.new-0123", nil)
	}
	testroot.Must(t, Disarm(root))
	if got := files(t, root); got != nil {
		t.Errorf("got %q left", got)
	}
}

// An sshd that starts at the same moment may already have read its configuration, and cannot be
// reloaded yet.
func TestTheUnitStartsBehindSSHD(t *testing.T) {
	root := t.TempDir()
	testroot.Must(t, os.MkdirAll(root+"/etc/systemd/system", 0o755))
	testroot.Must(t, Arm(root, "/usr/bin/enroll"))
	text := string(testroot.Read(t, root+"/etc/systemd/system/latchkey-rollback.service"))
	if want := "\nAfter=ssh.service sshd.service\n"; !strings.Contains(text, want) {
		t.Errorf("got %s, want %q in it", text, want)
	}
}

func TestTheScriptForInitIsOneThatAShellReads(t *testing.T) {
	root := t.TempDir()
	for _, folder := range []string{"/etc/init.d", "/etc/rc2.d"} {
		testroot.Must(t, os.MkdirAll(root+folder, 0o755))
	}
	for _, folder := range []string{"/etc/rc3.d", "/etc/rc4.d", "/etc/rc5.d"} {
		testroot.Must(t, os.MkdirAll(root+folder, 0o755))
	}
	link := root + "/etc/rc2.d/S99latchkey-rollback"
	testroot.Must(t, os.Symlink("/root/elsewhere", link)) // left by something else
	testroot.Must(t, Arm(root, "/usr/bin/enroll"))
	script := root + "/etc/init.d/latchkey-rollback"
	if out, err := exec.Command("sh", "-n", script).CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	if st, err := os.Stat(link); err != nil || st.Mode().Perm() != 0o755 {
		t.Errorf("the link leads to %v, %v", st, err)
	}
}

// A unit with a mistake would be found on the day on which it is needed.
func TestTheUnitIsOneThatSystemdReads(t *testing.T) {
	program, err := exec.LookPath("systemd-analyze")
	if err != nil {
		t.Skip("systemd-analyze is not installed here")
	}
	file := t.TempDir() + "/" + unitName
	text := strings.ReplaceAll(unit, "%s", "/bin/true")
	testroot.Must(t, os.WriteFile(file, []byte(text), 0o644))
	if out, err := exec.Command(program, "verify", file).CombinedOutput(); err != nil ||
		strings.Contains(string(out), unitName) {
		t.Errorf("%v: %s", err, out)
	}
}

func TestOnlyAnInitThatStartsServicesSurvivesARestart(t *testing.T) {
	for comm, want := range map[string]bool{"systemd\n": true, "init\n": true, "sshd\n": false,
		"tini\n": false, "": false} {
		root := t.TempDir()
		testroot.Must(t, os.MkdirAll(root+"/proc/1", 0o755))
		testroot.Must(t, os.WriteFile(root+"/proc/1/comm", []byte(comm), 0o644))
		if Survives(root) {
			t.Errorf("%q: got true where there is nothing that runs the command", comm)
		}
		testroot.Must(t, os.MkdirAll(root+"/etc/cron.d", 0o755))
		if got := Survives(root); got != want {
			t.Errorf("%q: got %v, want %v", comm, got, want)
		}
	}
}
