package packaging_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// root is an empty system: a shell with its commands, a useradd that notes what it is told, and nothing else.
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
	for _, name := range []string{"sh", "grep", "id"} {
		must(t, os.Symlink("busybox", r.path("bin/"+name)))
	}
	must(t, os.WriteFile(r.path("usr/sbin/useradd"), []byte(useradd), 0o755))
	must(t, os.WriteFile(r.path("etc/passwd"), nil, 0o644))
	must(t, os.WriteFile(r.path("dev/null"), nil, 0o666))
	r.rpm("--initdb")
	return r
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

// modes are those of some paths, as stat shows them.
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
		"usr/bin/enroll": 0o755 | os.ModeSetuid, "usr/libexec/latchkey/latchkey-login": 0o755, "usr/libexec/latchkey/latchkey-twilio": 0o711,
		"usr/lib64/security/pam_latchkey.so": 0o644, "etc/latchkey": 0o755 | os.ModeDir, "etc/latchkey/users": 0o700 | os.ModeDir,
		"var/lib/latchkey": 0o700 | os.ModeDir, "var/lib/latchkey/users": 0o700 | os.ModeDir, "etc/pam.d/enroll": 0o644,
	})
	if pam, err := os.ReadFile(r.path("etc/pam.d/enroll")); err != nil || strings.Contains(string(pam), "@include") {
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

// refusesRemoval wants the module to stay as long as a service needs it, and not because of what merely looks so.
func (r root) refusesRemoval() {
	r.t.Helper()
	for i, line := range []string{
		"auth required pam_latchkey.so",
		"  auth [success=1 default=ignore] /usr/lib64/security/pam_latchkey.so if_publickey",
		"auth required \\\n    pam_latchkey.so",
	} {
		service := r.path(fmt.Sprintf("etc/pam.d/service%d", i))
		must(r.t, os.WriteFile(service, []byte(line+"\n"), 0o644))
		out, err := r.try("-e", "latchkey")
		if err == nil || !strings.Contains(out, fmt.Sprintf("let nobody in: /etc/pam.d/service%d\n", i)) {
			r.t.Fatalf("with %q the removal was not refused: %v\n%s", line, err, out)
		}
		must(r.t, os.Remove(service))
	}
	for name, line := range map[string]string{
		"comment": "# pam_latchkey.so was here", "dash": "-auth required pam_latchkey.so", "sshd.rpmsave": "auth required pam_latchkey.so",
	} {
		must(r.t, os.WriteFile(r.path("etc/pam.d/"+name), []byte(line+"\n"), 0o644))
	}
}

func TestTheRPMIsRemovedAllTheSameIfTold(t *testing.T) {
	r := newRoot(t)
	r.rpm("-i", "--nodeps", rpm(version, "x86_64"))
	must(t, os.WriteFile(r.path("etc/pam.d/sshd"), []byte("auth required pam_latchkey.so\n"), 0o644))
	t.Setenv("LATCHKEY_REMOVE_ANYWAY", "1")
	r.rpm("-e", "latchkey")
}
