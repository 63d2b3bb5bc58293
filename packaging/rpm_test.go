package packaging_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root returns an empty system: a shell with its commands, a useradd that notes its arguments, and
// nothing else.
type root struct {
	t   *testing.T
	dir string
}

const useradd = `#!/bin/sh
echo "$*" >>/useradd.log
echo 'latchkey:x:999:999::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
`

func newRoot(t *testing.T) root {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("rpm runs a package's scripts in another root, which only root may")
	}
	r := root{t, t.TempDir()}
	for _, dir := range []string{"bin", "usr/sbin", "etc/pam.d", "var/lib/rpm", "dev"} {
		must(t, os.MkdirAll(filepath.Join(r.dir, dir), 0o755))
	}
	busybox, err := exec.LookPath("busybox")
	must(t, err)
	run(t, "cp", busybox, r.path("bin/busybox"))
	for _, name := range []string{"sh", "grep", "id", "env", "tr", "find", "sed", "cp", "rm",
		"rmdir"} {
		must(t, os.Symlink("busybox", r.path("bin/"+name)))
	}
	r.libraries()
	must(t, os.WriteFile(r.path("usr/sbin/useradd"), []byte(useradd), 0o755))
	must(t, os.WriteFile(r.path("etc/passwd"), nil, 0o644))
	must(t, os.WriteFile(r.path("dev/null"), nil, 0o666))
	r.rpm("--initdb")
	return r
}

// libraries are those that enroll is linked with, because the package's scripts run it. Everything
// else that the rpm depends on is not asked for.
func (r root) libraries() {
	r.t.Helper()
	enroll := filepath.Join(built, "amd64/redhat/usr/bin/enroll")
	for _, word := range strings.Fields(run(r.t, "ldd", enroll)) {
		if strings.HasPrefix(word, "/") {
			must(r.t, os.MkdirAll(filepath.Dir(r.path(word)), 0o755))
			run(r.t, "cp", "-L", word, r.path(word))
		}
	}
}

func (r root) path(inside string) string { return filepath.Join(r.dir, inside) }

func (r root) try(args ...string) (string, error) {
	cmd := exec.Command("rpm", append([]string{"--root", r.dir}, args...)...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func (r root) rpm(args ...string) {
	r.t.Helper()
	if out, err := r.try(args...); err != nil {
		r.t.Fatalf("rpm %q: %v\n%s", args, err, out)
	}
}

// modes returns the modes of some paths, as stat shows them.
func (r root) modes(want map[string]os.FileMode) {
	r.t.Helper()
	for path, mode := range want {
		info, err := os.Stat(r.path(path))
		must(r.t, err)
		if info.Mode() != mode {
			r.t.Errorf("%s is %v, not %v", path, info.Mode(), mode)
		}
	}
}

func (r root) accounts() int {
	log, err := os.ReadFile(r.path("useradd.log"))
	must(r.t, err)
	return strings.Count(string(log), "\n")
}

// The root has none of the packages that the rpm depends on, so these are not asked for.
func TestTheRPMIsInstalledUpgradedAndRemovedInAnEmptyRoot(t *testing.T) {
	r := newRoot(t)
	r.rpm("-i", "--nodeps", rpm(version, "x86_64"))
	r.modes(map[string]os.FileMode{
		"usr/bin/enroll": 0o755 | os.ModeSetuid, "usr/libexec/latchkey/latchkey-login": 0o755,
		"usr/libexec/latchkey/latchkey-twilio": 0o711,
		"usr/libexec/latchkey/latchkey-notify": 0o755,
		"usr/lib64/security/pam_latchkey.so":   0o644, "etc/latchkey": 0o755 | os.ModeDir,
		"etc/latchkey/users": 0o700 | os.ModeDir,
		"var/lib/latchkey":   0o700 | os.ModeDir, "var/lib/latchkey/users": 0o700 | os.ModeDir,
		"etc/pam.d/enroll":                         0o644,
		"etc/shadow-maint/userdel-post.d/latchkey": 0o755,
	})
	if pam, err := os.ReadFile(r.path("etc/pam.d/enroll")); err != nil ||
		strings.Contains(string(pam), "@include") {
		t.Errorf("%v: Fedora's PAM knows no @include: %s", err, pam)
	}
	record, policy := r.path("etc/latchkey/users/alice"), r.path("etc/latchkey/latchkey.toml")
	must(t, os.WriteFile(record, []byte("hers"), 0o600))
	must(t, os.WriteFile(policy, []byte("unenrolled = \"allow\"\n"), 0o644))
	r.rpm("-U", "--nodeps", rpm(newer, "x86_64"))
	if n := r.accounts(); n != 1 {
		t.Errorf("the account was made %d times", n)
	}
	if text, err := os.ReadFile(policy); err != nil || !strings.Contains(string(text), "allow") {
		t.Errorf("the upgrade changed the policy: %v: %s", err, text)
	}
	r.refusesRemoval()
	r.rpm("-e", "latchkey")
	if _, err := os.Stat(r.path("usr/lib64/security/pam_latchkey.so")); !os.IsNotExist(err) {
		t.Errorf("the module is still there (%v)", err)
	}
	if text, err := os.ReadFile(record); err != nil || string(text) != "hers" {
		t.Errorf("the record is gone: %v, %q", err, text)
	}
}

// refusesRemoval checks that a removal is refused as long as a service needs the module, and not
// because of something that only looks so.
func (r root) refusesRemoval() {
	r.t.Helper()
	must(r.t, os.MkdirAll(r.path("etc/pam.d/sub"), 0o755))
	for i, c := range []struct{ line, file string }{
		{"auth required pam_latchkey.so", ""},
		{"-auth required pam_latchkey.so", ""},
		{"  auth [success=1 default=ignore] /usr/lib64/security/pam_latchkey.so if_publickey", ""},
		{"auth required \\\n    pam_latchkey.so", ""},
		{"auth substack sub/code\n", "etc/pam.d/sub/code"},
	} {
		service := fmt.Sprintf("etc/pam.d/service%d", i)
		r.write(service, c.line+"\n")
		named := service
		if c.file != "" {
			r.write(c.file, "auth required pam_latchkey.so\n")
			named = c.file
		}
		out, err := r.try("-e", "latchkey")
		if err == nil || !strings.Contains(out, "let no one in: /"+named+"\n") {
			r.t.Fatalf("with %q the removal was not refused: %v\n%s", c.line, err, out)
		}
		must(r.t, os.Remove(r.path(service)))
	}
	r.write("etc/pam.d/comment", "# pam_latchkey.so was here \\\n")
	r.write("etc/pam.d/sshd.rpmsave", "auth required pam_latchkey.so\n")
}

func (r root) write(path, text string) {
	r.t.Helper()
	must(r.t, os.WriteFile(r.path(path), []byte(text), 0o644))
}

// FAULTS 44: a removal that root insists on leaves a stack that accepts passwords.
func TestForcedRemovalOfTheRPMTakesItsLinesOut(t *testing.T) {
	r := newRoot(t)
	r.rpm("-i", "--nodeps", rpm(version, "x86_64"))
	const before = "# keep \\\nauth requisite pam_unix.so\nauth required \\\n  " +
		"pam_latchkey.so\n-auth required pam_latchkey.so # x\naccount required pam_unix.so\n"
	r.write("etc/pam.d/sshd", before)
	t.Setenv("LATCHKEY_REMOVE_ANYWAY", "1")
	r.rpm("-e", "latchkey")
	for path, want := range map[string]string{"etc/pam.d/sshd.dpkg-old": before,
		"etc/pam.d/sshd": "# keep \\\nauth requisite pam_unix.so\naccount required " +
			"pam_unix.so\n"} {
		if got, err := os.ReadFile(r.path(path)); err != nil || string(got) != want {
			t.Errorf("%s: got %q, %v, want %q", path, got, err, want)
		}
	}
}

// An enroll that does not run knows nothing, so nothing is removed.
func TestTheRPMIsNotRemovedWhereEnrollDoesNotRun(t *testing.T) {
	r := newRoot(t)
	r.rpm("-i", "--nodeps", rpm(version, "x86_64"))
	r.write("etc/pam.d/sshd", "auth required pam_latchkey.so\n")
	r.write("usr/bin/enroll", "")
	must(t, os.Chmod(r.path("usr/bin/enroll"), 0o644))
	out, err := r.try("-e", "latchkey")
	if want := "enroll does not run"; err == nil || !strings.Contains(out, want) ||
		!strings.Contains(out, "/etc/pam.d/sshd") {
		t.Errorf("got %v, %q, want %q and /etc/pam.d/sshd", err, out, want)
	}
}
