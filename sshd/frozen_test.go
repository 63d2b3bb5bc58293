package sshd_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/pam/testroot"
	"latchkey/sshd/suite"
)

// runningLogin is the process id of the one login program that runs in the host.
func runningLogin(t *testing.T, h *suite.Host) int {
	t.Helper()
	all, err := h.Processes()
	must(t, err)
	var found []int
	for _, p := range all {
		if p.Name == "latchkey-login" {
			found = append(found, p.Pid)
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d login programs run: %+v", len(found), all)
	}
	return found[0]
}

// frozenAtFlush has a process stop right after its next fdatasync(2), which it makes while it holds a lock, and freezes it there
// as its user could with a control group of their own. It returns a function that waits for that.
func frozenAtFlush(t *testing.T, pid int) (wait func()) {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	line := testroot.Strace(t, "-o", trace, "-e", "trace=fdatasync", "-e", "inject=fdatasync:signal=STOP", "-p", fmt.Sprint(pid))
	strace := exec.Command(line[0], line[1:]...)
	says, err := strace.StderrPipe()
	must(t, err)
	must(t, strace.Start())
	t.Cleanup(func() { strace.Process.Kill(); strace.Wait() })
	if _, err := says.Read(make([]byte, 4096)); err != nil { // "attached"
		t.Fatal(err)
	}
	return func() {
		must(t, suite.Wait("the login program to stop", 10*time.Second, func() error {
			if text, _ := os.ReadFile(trace); !strings.Contains(string(text), "--- stopped by SIGSTOP ---") {
				return fmt.Errorf("it runs: %s", text)
			}
			return nil
		}))
		testroot.Freeze(t, pid)
		strace.Process.Kill()
	}
}

// FAULTS 36
func TestASuThatIsFrozenWhileItHoldsALockHoldsUpNoOtherLogin(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, err := h.Server(suite.PasswordAndCode)
		must(t, err)
		terminal, to := su(t, h)
		must(t, terminal.Expect(`[Pp]assword`))
		must(t, terminal.Type(suite.Password))
		must(t, terminal.Expect(`ode.*: `))
		pid := runningLogin(t, h)
		frozen := frozenAtFlush(t, pid)
		must(t, terminal.Type(to.WrongCode()))
		frozen()
		if o := attempt(t, s, suite.Attempt{User: to.Name, Password: suite.Password, Codes: []string{to.Code()}}); !o.In() {
			t.Errorf("the other login is denied: %v\n%s", o.Err, logOf(h, to.Name))
		}
		lines, err := h.Log()
		must(t, err)
		want := fmt.Sprintf(`program="/usr/libexec/latchkey/latchkey-login" uid=0 lock="/var/lib/latchkey/users/%s"`, to.Name)
		if all := strings.Join(lines, "\n"); strings.Count(all, "latchkey: ended=") != 1 || !strings.Contains(all, want) {
			t.Errorf("the log does not name the one that was ended:\n%s", all)
		}
	})
}
