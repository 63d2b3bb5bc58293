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
	"latchkey/pam/twilio/standin"
	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
	"latchkey/sshd/terminal"
)

// processOf returns the process id of the only process of the host that runs a program.
func processOf(t *testing.T, h *suite.Host, program string) (pid int) {
	t.Helper()
	all, err := h.PIDs()
	must(t, err)
	for _, one := range all {
		if exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", one)); exe != program {
			continue
		}
		if pid != 0 {
			t.Fatalf("%s runs twice: %d, %d", program, pid, one)
		}
		pid = one
	}
	if pid == 0 {
		t.Fatalf("%s does not run", program)
	}
	return pid
}

// frozenAtFlush has a process stop right after its next fdatasync(2), which it makes while it
// holds a lock, and freezes it there, as its user could with a control group of their own. It
// returns a function that waits for that.
func frozenAtFlush(t *testing.T, pid int) (wait func()) {
	t.Helper()
	trace := filepath.Join(t.TempDir(), "trace")
	line := testroot.Strace(t, "-o", trace, "-e", "trace=fdatasync", "-e",
		"inject=fdatasync:signal=STOP", "-p", fmt.Sprint(pid))
	strace := exec.Command(line[0], line[1:]...)
	says, err := strace.StderrPipe()
	must(t, err)
	must(t, strace.Start())
	t.Cleanup(func() { strace.Process.Kill(); strace.Wait() })
	if _, err := says.Read(make([]byte, 4096)); err != nil { // "attached"
		t.Fatal(err)
	}
	return func() {
		must(t, poll.Until("the login program to stop", time.Minute, func() error {
			text, _ := os.ReadFile(trace)
			if !strings.Contains(string(text), "--- stopped by SIGSTOP ---") {
				return fmt.Errorf("it runs: %s", text)
			}
			return nil
		}))
		testroot.Freeze(t, pid)
		strace.Process.Kill()
	}
}

const (
	firstLoginProgram = "/usr/libexec/latchkey/latchkey-enroll"
)

// frozen is a process whose user freezes it while it holds a lock, and another one that needs the
// same lock.
type frozen struct {
	name, program string
	lock          string // without the name of the file below users/
	// begin brings the program to the prompt whose answer makes it take the lock, and returns that
	// answer.
	begin func(t *testing.T,
		h *suite.Host) (term *terminal.Terminal, owner *suite.User, answer string)
	other func(t *testing.T, h *suite.Host, owner *suite.User)
}

var allFrozen = []frozen{
	{"a login at a code, and another", loginProgram, "users/", atCode, logsIn},
	{"a login at a code, and enroll", loginProgram, "users/", atCode, changes},
	{"a login at a send, and another user's", loginProgram, "host", atSend, sends},
	{"an enrollment in a login, and enroll for another", firstLoginProgram, "users", atFirstCode,
		enrollsAnother},
	{"an enroll at a code, and root's", "/usr/bin/enroll", "users/", atProof, changes},
	{"an enroll at a code, and a login", "/usr/bin/enroll", "users/", atProof, logsIn},
}

// atCode is a su before it checks a wrong code.
func atCode(t *testing.T, h *suite.Host) (*terminal.Terminal, *suite.User, string) {
	term, to := su(t, h)
	typed(t, term, `[Pp]assword`, suite.Password)
	must(t, term.Expect(`ode.*: `))
	return term, to, to.WrongCode()
}

// atProof is a user's enroll before it checks a wrong code.
func atProof(t *testing.T, h *suite.Host) (*terminal.Terminal, *suite.User, string) {
	u := enrolled(t, h)
	term, err := terminal.New(h.Shell(as(u, "/usr/bin/enroll", "codes")...))
	must(t, err)
	t.Cleanup(term.Close)
	typed(t, term, `[Pp]assword`, suite.Password)
	must(t, term.Expect(`ode.*: `))
	return term, u, u.WrongCode()
}

// atSend is a su before it sends a code.
func atSend(t *testing.T, h *suite.Host) (*terminal.Terminal, *suite.User, string) {
	term, to := su(t, h)
	must(t, to.EnrollPhone(to.Number()))
	typed(t, term, `[Pp]assword`, suite.Password)
	must(t, term.Expect(`type sms or call.*: `))
	return term, to, "sms"
}

// atFirstCode is a su before it enrolls its user.
func atFirstCode(t *testing.T, h *suite.Host) (*terminal.Terminal, *suite.User, string) {
	term, to := su(t, h)
	script(t, h, "enroll reset "+to.Name)
	typed(t, term, `[Pp]assword`, suite.Password)
	must(t, term.Expect(`the app shows now. Verification code: `))
	must(t, to.ReadSecret(term.Seen()))
	return term, to, to.Code()
}

// enrollsAnother enrolls a user who has nothing, for which it needs the lock on all records.
func enrollsAnother(t *testing.T, h *suite.Host, _ *suite.User) {
	script(t, h, "enroll add totp --label other --yes --user "+user(t, h).Name)
}

func logsIn(t *testing.T, h *suite.Host, owner *suite.User) {
	allowed(t, server(t, h, suite.PasswordAndCode), suite.Attempt{
		User: owner.Name, Password: suite.Password, Codes: []string{owner.Code()},
	})
}

func changes(t *testing.T, h *suite.Host, owner *suite.User) {
	script(t, h, "enroll add totp --label other --yes --user "+owner.Name)
}

// sends is another user's login by a code that is sent to a phone.
func sends(t *testing.T, h *suite.Host, _ *suite.User) {
	v := verify(t, h, standin.Options{})
	u := withPhone(t, h, false)
	allowed(t, server(t, h, suite.PasswordAndCode), suite.Attempt{
		User: u.Name, Password: suite.Password,
		Answer: answers(word("sms"), func() string { return v.Code(u.Number()) }),
	})
}

// FAULTS 36
func TestFrozenHolderOfALockHoldsUpNoOneElse(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		script(t, h, "echo 'unenrolled = \"enroll\"' >/etc/latchkey/latchkey.toml")
		verify(t, h, standin.Options{})
		for n, c := range allFrozen {
			t.Run(c.name, func(t *testing.T) {
				term, owner, answer := c.begin(t, h)
				wait := frozenAtFlush(t, processOf(t, h, c.program))
				must(t, term.Type(answer))
				wait()
				c.other(t, h, owner)
				lock := "/var/lib/latchkey/" + c.lock
				if c.lock == "users/" {
					lock += owner.Name
				}
				want := fmt.Sprintf("program=%q uid=%%d lock=%q", c.program, lock)
				lines, err := h.Log()
				must(t, err)
				all := strings.Join(lines, "\n")
				if strings.Count(all, "latchkey: ended=") != n+1 ||
					!namesEnded(all, want, 0, owner.UID) {
					t.Errorf("the log does not name the one that was ended, with %s:\n%s",
						want, all)
				}
			})
		}
	})
}

// namesEnded reports whether the log has the line with one of these uids.
func namesEnded(log, format string, uids ...int) bool {
	for _, uid := range uids {
		if strings.Contains(log, fmt.Sprintf(format, uid)) {
			return true
		}
	}
	return false
}
