package main

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// faulty is enroll on a disk that fails at one system call, below a root with a logger.
type faulty struct {
	t         *testing.T
	exe, root string
	log       *net.UnixConn
}

func newFaulty(t *testing.T) *faulty {
	t.Helper()
	if _, err := exec.LookPath("strace"); err != nil {
		t.Fatal("strace is needed: packaging/deps.sh installs it")
	}
	exe, root := underRoot(t)
	if err := os.Mkdir(root+"/dev", 0o755); err != nil {
		t.Fatal(err)
	}
	log, err := net.ListenUnixgram("unixgram",
		&net.UnixAddr{Name: root + "/dev/log", Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close() })
	if err := os.WriteFile(root+"/google", []byte(rfcSecret+"\n\" TOTP_AUTH\n12345678\n"),
		0o600); err != nil {
		t.Fatal(err)
	}
	return &faulty{t, exe, root, log}
}

// changes is what is in the log of changes since it was asked last. All of it was sent before
// enroll ended.
func (f *faulty) changes() (lines []string) {
	f.t.Helper()
	raw, err := f.log.SyscallConn()
	for buffer := make([]byte, 4096); err == nil; {
		n := 0
		err = raw.Read(func(fd uintptr) bool {
			n, _ = unix.Read(int(fd), buffer)
			return true // whether or not there was a line
		})
		if n <= 0 {
			return lines
		}
		if line := string(buffer[:n]); strings.Contains(line, "change=") {
			lines = append(lines, line)
		}
	}
	f.t.Fatal(err)
	return nil
}

// meaning is what a login would find for root: nothing that is in a file and is never read.
func (f *faulty) meaning() string {
	k := factor.NewKeyring(f.root, safefile.Patience{})
	r, st, err := k.View(record.User{Name: "root", UID: 0})
	if errors.Is(err, factor.ErrUnenrolled) {
		ticket := state.OneTimeCode{}
		if st, err := k.States.View("root"); err == nil {
			ticket = st.Ticket
		}
		return fmt.Sprintf("unenrolled, ticket %v", ticket)
	}
	if err != nil {
		return "denied: " + err.Error()
	}
	text := fmt.Sprintf("bypass %v, locked %v, failures %v", st.Bypass, st.Locked, st.Failures)
	for _, d := range r.Devices {
		text += fmt.Sprintf(", device %s used %+v", d.Label, st.Device(d.ID))
	}
	return text + fmt.Sprintf(", codes %x", r.Recovery.Hashes)
}

// run runs enroll with a fault injected, where its own files are concerned.
func (f *faulty) run(inject string, args []string) (out, errs string, exit int) {
	f.t.Helper()
	call, _, _ := strings.Cut(inject, ":")
	line := []string{"-f", "-qq", "--seccomp-bpf", "-o", os.DevNull, "-e", "trace=" + call, "-e",
		"inject=" + inject}
	cmd := exec.Command("strace", append(append(line, f.exe), args...)...)
	var o, e bytes.Buffer
	cmd.Stdout, cmd.Stderr = &o, &e
	err := cmd.Run()
	if ended := (*exec.ExitError)(nil); err != nil && !errors.As(err, &ended) {
		f.t.Fatal(err)
	}
	return o.String(), e.String(), cmd.ProcessState.ExitCode()
}

// faultyCommands are the commands that change something, after what set the stage for them.
func (f *faulty) commands() map[string]struct{ before, args []string } {
	google := filepath.Join(f.root, "google")
	return map[string]struct{ before, args []string }{
		"first enrollment": {nil, []string{"add", "totp", "--label", "new", "--yes"}},
		"first, with a ticket": {[]string{"invite"},
			[]string{"add", "totp", "--label", "new", "--yes"}},
		"add": {[]string{"phone"},
			[]string{"add", "totp", "--label", "new", "--yes"}},
		"remove": {[]string{"phone", "tablet"}, []string{"remove", "tablet"}},
		"replace": {[]string{"phone", "codes"},
			[]string{"replace", "--label", "new", "--yes"}},
		"rename":         {[]string{"phone"}, []string{"rename", "phone", "--label", "new"}},
		"codes":          {[]string{"phone", "codes"}, []string{"codes", "--yes"}},
		"reset":          {[]string{"phone"}, []string{"reset", "root"}},
		"unlock":         {[]string{"phone", "lock"}, []string{"unlock", "root"}},
		"invite":         {nil, []string{"invite", "root"}},
		"another invite": {[]string{"invite"}, []string{"invite", "root"}},
		"bypass":         {[]string{"phone"}, []string{"bypass", "root"}},
		"another bypass": {[]string{"phone", "bypass"},
			[]string{"bypass", "root", "--json"}},
		"import": {nil, []string{"import", "--user", "root", google}},
		"import that replaces": {[]string{"phone", "codes"},
			[]string{"import", "--replace", "--user", "root", google}},
		"import over a bypass": {[]string{"phone", "bypass"},
			[]string{"import", "--replace", "--user", "root", google}},
		"import of a used token": {[]string{"google"},
			[]string{"import", "--user", "root", google}},
	}
}

// prepare makes what a command finds, and returns the files of it.
func (f *faulty) prepare(before []string) (stage map[string]string) {
	f.t.Helper()
	wipe(f.t, f.root)
	for _, what := range before {
		switch what {
		case "codes":
			runs(f.t, f.exe, "codes", "--yes")
		case "invite", "bypass":
			runs(f.t, f.exe, what, "root")
		case "google":
			runs(f.t, f.exe, "import", "--user", "root", f.root+"/google")
		case "lock":
			account, err := factor.NewKeyring(f.root,
				safefile.Patience{}).Open(record.User{Name: "root", UID: 0})
			if err != nil {
				f.t.Fatal(err)
			}
			account.State.Locked = time.Now()
			if err := account.State.Commit(); err != nil {
				f.t.Fatal(err)
			}
			account.Close()
		default:
			runs(f.t, f.exe, "add", "totp", "--label", what, "--yes")
		}
	}
	f.changes()
	return filesBelow(f.t, f.root)
}

// restore brings back what prepare made.
func (f *faulty) restore(stage map[string]string) {
	f.t.Helper()
	wipe(f.t, f.root)
	for path, text := range stage {
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700),
			os.WriteFile(path, []byte(text), 0o600)); err != nil {
			f.t.Fatal(err)
		}
	}
}

// mostCalls bounds how often a call is made to fail in a command: more calls than a command makes.
const mostCalls = 12

// FAULTS 19 and 40: message, exit status, log and files agree, whichever call fails and how.
func TestNothingIsChangedUnlessTheMessageSaysSo(t *testing.T) {
	names := slices.Sorted(maps.Keys((&faulty{}).commands()))
	for some := range slices.Chunk(names, 5) {
		t.Run(strings.Join(some, ", "), func(t *testing.T) {
			t.Parallel()
			f := newFaulty(t)
			for _, name := range some {
				f.failsAnywhere(name)
			}
		})
	}
}

func (f *faulty) failsAnywhere(name string) {
	f.t.Helper()
	c := f.commands()[name]
	stage := f.prepare(c.before)
	for _, call := range []string{"fsync", "fdatasync", "pwrite64", "renameat2", "unlinkat",
		"fchmod", "fchown"} {
		for n := 1; n <= mostCalls; n++ {
			errno := []string{"EIO", "ENOSPC", "EINTR", "EPERM"}[n%4]
			f.fails(name, stage, c.args, fmt.Sprintf("%s:error=%s:when=%d", call, errno, n))
			if f.fails(name, stage, c.args, fmt.Sprintf("%s:error=EIO:when=%d+", call, n)) {
				break
			}
		}
	}
}

// fails runs a command with a fault and compares what it says with what it did. It reports
// whether the command succeeded.
func (f *faulty) fails(name string, stage map[string]string, args []string,
	inject string) (succeeded bool) {
	f.t.Helper()
	f.restore(stage)
	old := f.meaning()
	out, errs, exit := f.run(inject, args)
	now, logged := f.meaning(), f.changes()
	said := out + errs
	changed := now != old
	claims := exit == 0 || strings.Contains(said, "in force") ||
		strings.Contains(said, "incomplete")
	switch where := name + ", " + inject; {
	case exit != 0 && exit != 1:
		f.t.Errorf("%s: exit status %d: %s", where, exit, said)
	case exit == 0 && (!changed && name != "import of a used token" || errs != "" &&
		strings.Contains(errs, "error")):
		f.t.Errorf("%s: exit status 0, and changed is %v: %s", where, changed, said)
	case exit == 1 && !strings.Contains(errs, "enroll: error: "):
		f.t.Errorf("%s: exit status 1 without a word: %s", where, said)
	case changed != claims && name != "import of a used token":
		f.t.Errorf("%s: changed is %v, and it says %q (exit status %d)\nbefore: %s\nafter:  %s",
			where, changed, said, exit, old, now)
	case changed != (len(logged) > 0):
		f.t.Errorf("%s: changed is %v, and the log has %q\n%s", where, changed, logged, said)
	case changed && !strings.Contains(said, "incomplete") && strings.HasPrefix(now, "denied"):
		f.t.Errorf("%s: left %s: %s", where, now, said)
	}
	return exit == 0
}

// A code that was typed stays used, or counted as wrong, though that could not be flushed: only
// the message changes.
func TestACodeThatCannotBeBookedIsSaidToCount(t *testing.T) {
	f := newFaulty(t)
	if err := os.WriteFile(f.root+"/secret", []byte(rfcSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, call := range []string{"fdatasync", "pwrite64"} {
		wipe(t, f.root)
		runs(t, f.exe, "add", "totp", "--label", "phone", "--secret-file", f.root+"/secret",
			"--yes")
		old := f.meaning()
		cmd := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e",
			"inject="+call+":error=EIO", f.exe, "test")
		cmd.Stdin = strings.NewReader("000000\n")
		out, err := cmd.CombinedOutput()
		if err == nil || !strings.Contains(string(out), "state cannot be saved") ||
			strings.Contains(string(out), "nothing was changed") {
			t.Errorf("%s: %v: %s", call, err, out)
		}
		if charged := f.meaning() != old; charged != (call == "fdatasync") ||
			!strings.Contains(string(out), "may count") {
			t.Errorf("%s: charged is %v, and it says %s", call, charged, out)
		}
	}
}
