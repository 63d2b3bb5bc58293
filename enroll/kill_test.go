package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
)

// changing are the system calls with which enroll changes or locks anything; it is killed at each
// occurrence of each. Between two of them the disk is the same.
var changing = []string{"write", "pwrite64", "fchown", "fchmod", "fsync", "fdatasync", "flock",
	"renameat", "renameat2", "unlinkat"}

// built compiles enroll for a root of the test's.
func built(t testing.TB, root string) string {
	t.Helper()
	exe := filepath.Join(t.TempDir(), "enroll")
	out, err := exec.Command("go", "build", "-o", exe, "-ldflags", "-X main.root="+root,
		".").CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return exe
}

// underRoot makes a root and the enroll for it. The program under test is the real one, which
// asks which user runs it.
func underRoot(t *testing.T) (exe, root string) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("skipped: enroll for scripts is for root, and this test does not run as root")
	}
	root = t.TempDir()
	if err := makeRoot(root); err != nil {
		t.Fatal(err)
	}
	return built(t, root), root
}

func runs(t *testing.T, exe string, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	cmd := exec.Command(exe, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("enroll %s: %v: %s", strings.Join(args, " "), err, errs.String())
	}
	return out.String()
}

// killedAt runs enroll and kills it at the n-th call. It reports whether it came to that.
func killedAt(t *testing.T, exe, call string, n int, args []string) bool {
	t.Helper()
	inject := fmt.Sprintf("inject=%s:signal=KILL:when=%d", call, n)
	cmd := exec.Command("strace", append([]string{"-f", "-qq", "-o", os.DevNull, "-e", inject,
		exe}, args...)...)
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !(status.Signaled() && status.Signal() == syscall.SIGKILL) {
		t.Fatalf("%s at %s number %d: %v: %s", strings.Join(args, " "), call, n, err, out)
	}
	return true
}

func TestEnrollKilledAtAnySystemCallLeavesTheOldOrTheNewEnrollment(t *testing.T) {
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: packaging/deps.sh installs it")
	}
	for _, c := range []struct {
		name  string
		setUp [][]string
		args  []string
		old   string // the pattern of the status before
		new   string // of the status after, with the device's name
	}{
		{"the first device", nil, []string{"add", "totp", "--label", "phone", "--yes"},
			"no second factor", "phone "},
		{"one more device", [][]string{{"add", "totp", "--label", "phone", "--yes"}},
			[]string{"add", "totp", "--label", "tablet", "--yes"}, "phone ", "tablet "},
		{"remove", [][]string{{"add", "totp", "--label", "phone", "--yes"},
			{"add", "totp", "--label", "tablet", "--yes"}},
			[]string{"remove", "phone"}, "phone ", "tablet "},
		{"replace", [][]string{{"add", "totp", "--label", "phone", "--yes"}},
			[]string{"replace", "--label", "tablet", "--yes"}, "^phone [^\n]*\n[^\n]*left: 0\n$",
			"^tablet [^\n]*\n[^\n]*left: 10\n$"},
		{"reset", [][]string{{"add", "totp", "--label", "phone", "--yes"}},
			[]string{"reset", "root"}, "phone ", "no second factor"},
		{"new recovery codes", [][]string{{"add", "totp", "--label", "phone", "--yes"},
			{"codes", "--yes"}},
			[]string{"codes", "--yes"}, "codes left: 10", "codes left: 10"},
		{"a ticket", nil, []string{"invite", "root"}, "no second factor", "no second factor"},
		{"another ticket", [][]string{{"invite", "root"}}, []string{"invite", "root"},
			"no second factor", "no second factor"},
		{"a code in place of a device's",
			[][]string{{"add", "totp", "--label", "phone", "--yes"}}, []string{"bypass", "root"},
			"phone ", "phone "},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			exe, root := underRoot(t)
			old, fresh := regexp.MustCompile(c.old), regexp.MustCompile(c.new)
			kills := 0
			for _, call := range changing {
				for n := 1; ; n++ {
					wipe(t, root)
					for _, args := range c.setUp {
						runs(t, exe, args...)
					}
					before := runs(t, exe, "status")
					if !old.MatchString(before) {
						t.Fatalf("before: %s", before)
					}
					killed := killedAt(t, exe, call, n, c.args)
					after := runs(t, exe, "status") // fails if the user could not log in
					if !old.MatchString(after) && !fresh.MatchString(after) {
						t.Fatalf("killed at %s number %d: neither old nor new: %s", call, n, after)
					}
					// What was left behind does not stand in the way of the next change.
					runs(t, exe, "add", "totp", "--label", "another", "--yes")
					nothingLeft(t, root, fmt.Sprintf("killed at %s number %d", call, n))
					if !killed {
						break
					}
					kills++
				}
			}
			t.Logf("killed at %d points", kills)
			if kills < 5 {
				t.Errorf("only %d kills: the injection does not work", kills)
			}
		})
	}
}

// nothingLeft demands that no temporary file of a killed enroll is there.
func nothingLeft(t *testing.T, root, when string) {
	t.Helper()
	for _, dir := range []string{
		"/etc/latchkey/users", "/var/lib/latchkey/users", "/var/lib/latchkey/uids",
	} {
		if left, err := filepath.Glob(root + dir + "/.new-*"); err != nil || len(left) > 0 {
			t.Fatalf("%s: the next enroll left %q (%v)", when, left, err)
		}
	}
}

// wipe empties the root.
func wipe(t *testing.T, root string) {
	t.Helper()
	for _, dir := range []string{"/etc/latchkey", "/var/lib/latchkey"} {
		if err := os.RemoveAll(root + dir); err != nil {
			t.Fatal(err)
		}
	}
	if err := makeRoot(root); err != nil {
		t.Fatal(err)
	}
}
