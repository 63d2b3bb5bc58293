package gate

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// buildNamed builds a module by the Makefile's own rule, at a path and with a login program that
// the test chooses.
func buildNamed(name, flags string) (string, error) {
	login, err := buildLogin()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(scratch, name)
	libexec := filepath.Join(dir, "libexec")
	if err := os.MkdirAll(libexec, 0o755); err != nil {
		return "", err
	}
	if err := os.Symlink(login, filepath.Join(libexec, "latchkey-login")); err != nil {
		return "", err
	}
	module := filepath.Join(dir, "pam_latchkey.so")
	cmd := exec.Command("make", "-s", "-C", "../..", "B="+dir, "LIBEXEC="+libexec,
		"CC="+compiler()+" "+flags, module)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("make %s: %v\n%s", module, err, out)
	}
	return module, nil
}

var (
	buildModule = sync.OnceValues(func() (string, error) {
		return buildNamed("module", sanitizers)
	})
	buildHastyModule = sync.OnceValues(func() (string, error) {
		return buildNamed("hasty", sanitizers+" -DLATCHKEY_DEADLINE_MS=300")
	})
)

// loginOf returns the path at which a module built here has its login program.
func loginOf(module string) string {
	return filepath.Join(filepath.Dir(module), "libexec/latchkey-login")
}

func asRoot(t *testing.T) bool {
	if os.Geteuid() != 0 {
		t.Log("not root: ids and limits of the login program are not checked")
	}
	return os.Geteuid() == 0
}

// writable returns a directory in which any user may write.
func writable(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(scratch, "open-")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	return dir
}

// host is a PAM application (testdata/host.c) whose stack is one module and whose login program
// follows a script.
type host struct {
	program, confdir string
	user, answer     string
	environment      []string
	prefix           []string // what starts the program, such as unshare(1)
}

func newHost(t *testing.T, module string, script ...string) host {
	t.Helper()
	dir := writable(t)
	args := ""
	for _, s := range script {
		args += " " + s
	}
	writeService(t, dir, "auth required "+module+args+"\naccount required "+module+"\n")
	return host{program: must(t, buildHost), confdir: dir, user: "alice", answer: "123456"}
}

func (h host) command(options ...string) *exec.Cmd {
	line := append(slices.Clone(h.prefix), h.program, h.confdir, "latchkey-test", h.user, h.answer)
	line = append(line, options...)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(slices.Clone(h.environment), "ASAN_OPTIONS=detect_leaks=0")
	return cmd
}

// run returns the values that the host printed, by key.
func (h host) run(t *testing.T, options ...string) map[string][]string {
	t.Helper()
	cmd := h.command(options...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("host: %v\n%s%s", err, &stdout, &stderr)
	}
	said := map[string][]string{"all": {stdout.String() + stderr.String()}}
	for line := range strings.Lines(stdout.String()) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		said[key] = append(said[key], value)
	}
	return said
}

// wantUnharmed checks that the host got the code, is what it was before, and has no child.
func wantUnharmed(t *testing.T, said map[string][]string, code int) {
	t.Helper()
	for key, want := range map[string]string{
		"code":     fmt.Sprint(code),
		"state":    "unchanged",
		"children": "none",
	} {
		if !slices.Equal(said[key], []string{want}) {
			t.Errorf("%s %q, want %s\n%s", key, said[key], want, said["all"])
		}
	}
}

// oddHosts are the states in which applications have been seen, or into which the caller of su can
// bring them.
func oddHosts(t *testing.T) [][]string {
	return [][]string{
		{},
		{"sigchld=ignore"},
		{"sigchld=reap"},
		{"sigpipe=ignore"},
		{"signals=ignored"},
		{"signals=blocked"},
		{"alarm=often"},
		{"stdio=closed"},
		{"descriptors=inheritable"},
		{"umask=0"},
		{"cwd=" + scratch},
		{"limits=hostile"},
		{"scheduling=idle"},
		{"kernel=old"},
		{"kernel=old", "sigchld=ignore", "stdio=closed"},
		{"kernel=old", "sigchld=reap", "descriptors=inheritable"},
		{"signals=ignored", "signals=blocked", "stdio=closed", "umask=0", "limits=hostile"},
	}
}

func TestAVerdictReachesAnApplicationInAnyState(t *testing.T) {
	for _, options := range oddHosts(t) {
		t.Run(strings.Join(options, " "), func(t *testing.T) {
			h := newHost(t, must(t, buildModule), send("Qcode"), "receive", "judge")
			for answer, code := range map[string]int{"alice": pamSuccess, "bob": pamAuthErr} {
				h.answer = answer
				said := h.run(t, options...)
				wantUnharmed(t, said, code)
				if said["noise"] != nil {
					t.Errorf("descriptors %q of the application lead to the login program",
						said["noise"])
				}
			}
		})
	}
}

// vsftpd takes the end of any child for that of its own, and waits for that for ever.
func TestAnApplicationHearsOfTheEndOfItsOwnChildrenOnly(t *testing.T) {
	for _, script := range [][]string{
		{send("Qcode"), "receive", "judge"},
		{"exit=0"},
		{"signal=9"},
	} {
		said := newHost(t, must(t, buildModule), script...).run(t, "sigchld=heard")
		if !slices.Equal(said["heard"], []string{"0"}) {
			t.Errorf("%v: heard %q times of the login program's end", script, said["heard"])
		}
	}
	for _, child := range []string{"child=", "child-after="} {
		meeting := filepath.Join(writable(t), "fifo")
		if err := unix.Mkfifo(meeting, 0o666); err != nil {
			t.Fatal(err)
		}
		h := newHost(t, must(t, buildModule), "meet="+meeting, send("Qcode"), "receive", "judge")
		h.answer = h.user
		said := h.run(t, "sigchld=heard", child+meeting)
		wantUnharmed(t, said, pamSuccess)
		if slices.Equal(said["heard"], []string{"0"}) {
			t.Errorf("%s: the application did not hear of its own child's end", child)
		}
		// The signal is held back all the time: this login program asks nothing.
		said = newHost(t, must(t, buildHastyModule), "meet="+meeting, "hang").run(t,
			"sigchld=heard", child+meeting)
		if slices.Equal(said["heard"], []string{"0"}) {
			t.Errorf("%s: the application did not hear of its own child's end, which was "+
				"held back", child)
		}
	}
}

// A daemon that reads signalfd(2) blocks the signal in all threads. Only the main thread may send a
// signal on with what the kernel said of it.
func TestAnApplicationHearsOfItsOwnChildAfterALoginInAnotherThread(t *testing.T) {
	meeting := filepath.Join(writable(t), "fifo")
	if err := unix.Mkfifo(meeting, 0o666); err != nil {
		t.Fatal(err)
	}
	said := newHost(t, must(t, buildHastyModule), "meet="+meeting, "hang").run(t,
		"sigchld=heard", "signals=blocked", "threads=1", "child="+meeting)
	if slices.Equal(said["heard"], []string{"0"}) {
		t.Error("the application did not hear of its own child's end")
	}
}

func TestALoginProgramThatFailsHarmsNoApplicationInAnyState(t *testing.T) {
	for _, options := range oddHosts(t) {
		for name, script := range map[string][]string{
			"hangs": {"hang"}, "stops": {"signal=19"}, "is killed": {"signal=9"},
			"ends": {"exit=0"}, "babbles": {send("Z"), "hang"},
			"closes": {"close", "hang"},
		} {
			t.Run(name+" "+strings.Join(options, " "), func(t *testing.T) {
				said := newHost(t, must(t, buildHastyModule), script...).run(t, options...)
				wantUnharmed(t, said, pamSystemErr)
				if len(said["log"]) != 1 {
					t.Errorf("log %q", said["log"])
				}
			})
		}
	}
}

func TestAMissingLoginProgramHarmsNoApplicationInAnyState(t *testing.T) {
	module := must(t, sync.OnceValues(func() (string, error) {
		module, err := buildNamed("missing", sanitizers)
		os.Remove(loginOf(module))
		return module, err
	}))
	for _, options := range oddHosts(t) {
		said := newHost(t, module).run(t, options...)
		wantUnharmed(t, said, pamSystemErr)
		if len(said["log"]) != 1 ||
			!strings.Contains(said["log"][0], "latchkey-login: No such file or directory") {
			t.Errorf("log %q", said["log"])
		}
	}
}

// The user answers once the login program has closed its end.
func TestUnreadAnswerDoesNotKillTheApplication(t *testing.T) {
	meeting := filepath.Join(writable(t), "fifo")
	if err := unix.Mkfifo(meeting, 0o666); err != nil {
		t.Fatal(err)
	}
	said := newHost(t, must(t, buildModule), send("Qcode"), "close", "meet="+meeting,
		"hang").run(t, "meet="+meeting)
	wantUnharmed(t, said, pamSystemErr)
	if len(said["log"]) != 1 || !strings.Contains(said["log"][0], ended) {
		t.Errorf("log %q", said["log"])
	}
}

func TestAnApplicationThatCannotForkOrOpenIsDenied(t *testing.T) {
	h := newHost(t, must(t, buildModule), send("V2 allow"))
	for _, c := range []struct {
		options []string
		detail  string
	}{
		{[]string{"descriptors=none"}, `detail="socketpair: Too many open files"`},
		{[]string{"uid=nobody", "processes=0"}, `detail="fork: Resource temporarily unavailable"`},
	} {
		if c.options[0] == "uid=nobody" && !asRoot(t) {
			continue
		}
		said := h.run(t, c.options...)
		if !slices.Equal(said["code"], []string{"4"}) || len(said["log"]) != 1 ||
			!strings.Contains(said["log"][0], c.detail) {
			t.Errorf("%v: %s", c.options, said["all"])
		}
	}
}

func TestSetcredAndAccountSucceedInAnotherProcess(t *testing.T) {
	said := newHost(t, must(t, buildModule), send("V2 allow")).run(t, "rest=elsewhere")
	wantUnharmed(t, said, pamSuccess)
	if !slices.Equal(said["setcred"], []string{"0"}) ||
		!slices.Equal(said["acct_mgmt"], []string{"0"}) {
		t.Error(said["all"])
	}
}

func TestThreadsOfOneApplicationLogInIndependently(t *testing.T) {
	for _, options := range [][]string{
		{"threads=8"},
		{"threads=8", "sigchld=ignore"},
		{"threads=8", "sigchld=reap"},
		{"threads=8", "kernel=old"},
		{"threads=8", "alarm=often"},
	} {
		said := newHost(t, must(t, buildModule), send("Qcode"), "receive", "judge").run(t,
			options...)
		if !slices.Equal(said["code"], slices.Repeat([]string{"0"}, 40)) ||
			!slices.Equal(said["children"], []string{"none"}) {
			t.Errorf("%v: %s", options, said["all"])
		}
	}
}

func TestFailingNameServiceIsNotAnUnknownUser(t *testing.T) {
	for _, c := range []struct{ option, name, uid string }{
		{"names=up", "alice", "4294967294"},
		{"names=respell", "Alice", "4294967294"},
		{"names=absent", "", "none"},
		{"names=down", "", "error"},
		{"names=endless", "", "error"},
	} {
		path := filepath.Join(writable(t), "notes")
		said := newHost(t, must(t, buildModule), "notes="+path, send("V2 allow")).run(t, c.option)
		wantUnharmed(t, said, pamSuccess)
		hello := notes(t, path)["hello"][0]
		if !strings.Contains(hello, "\x00name="+c.name+"\x00uid="+c.uid+"\x00") {
			t.Errorf("%s: %q", c.option, hello)
		}
	}
}

func TestMembershipIsNeverGuessed(t *testing.T) {
	for _, c := range []struct{ names, group, frame string }{
		{"up", "primary", "Ayes"},
		{"up", "listed", "Ayes"},
		{"up", "nested", "Ayes"},
		{"up", "other", "Ano"},
		{"up", "absent", "C3 there is no such group"},
		{"up", "down", "C3 Input/output error"},
		{"up", "endless", "C3 Numerical result out of range"},
		{"up", "@team", "Ayes"},
		{"toomany", "nested", "C3 too many groups, or no memory"},
		{"toomany", "listed", "Ayes"},
		{"broken", "nested", "C3 the name service fails"},
		{"absent", "listed", "C3 the name service does not know the user"},
		{"absent", "@team", "C3 the name service does not know the user"},
		{"down", "listed", "C3 the name service does not know the user"},
		{"down", "@team", "C3 the name service does not know the user"},
	} {
		path := filepath.Join(writable(t), "notes")
		said := newHost(t, must(t, buildModule), "notes="+path, send("G"+c.group), "receive",
			send("V2 allow")).run(t, "names="+c.names)
		wantUnharmed(t, said, pamSuccess)
		if got := notes(t, path)["frame"]; !slices.Equal(got, []string{c.frame}) {
			t.Errorf("names %s, group %s: %q", c.names, c.group, got)
		}
	}
}

// The application is killed while the login program does nothing but hang.
func TestTheLoginProgramDiesWithTheApplication(t *testing.T) {
	for _, options := range [][]string{{}, {"uid=su", "signals=ignored"}, {"kernel=old"}} {
		if len(options) > 1 && !asRoot(t) {
			continue
		}
		meeting := filepath.Join(writable(t), "fifo")
		if err := unix.Mkfifo(meeting, 0o666); err != nil {
			t.Fatal(err)
		}
		cmd := newHost(t, must(t, buildModule), "meet="+meeting, "hang").command(options...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		text, err := os.ReadFile(meeting)
		var pid int
		if _, err2 := fmt.Sscan(string(text), &pid); err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		wantEndAfter(t, pid, func() {
			cmd.Process.Kill()
			cmd.Wait()
		})
	}
}

// wantEndAfter checks that the process runs, and ends once do is done.
func wantEndAfter(t *testing.T, pid int, do func()) {
	t.Helper()
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	if n, err := unix.Poll(poll, 0); n != 0 || err != nil {
		t.Errorf("the login program ended too early (%v)", err)
	}
	do()
	if !ready(poll, time.Minute) {
		t.Error("the login program outlives the application")
	}
}

func ready(poll []unix.PollFd, within time.Duration) bool {
	for end := time.Now().Add(within); time.Now().Before(end); {
		if n, err := unix.Poll(poll, 1000); n > 0 && err == nil {
			return true
		}
	}
	return false
}
