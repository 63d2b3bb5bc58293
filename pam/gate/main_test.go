package gate

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// long is a deadline that no test waits for.
const long = 2 * time.Minute

var scratch string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	var err error
	if scratch, err = os.MkdirTemp("", "latchkey-gate-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(scratch)
	if err := os.Chmod(scratch, 0o755); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return m.Run()
}

func compiler() string {
	if cc := os.Getenv("CC"); cc != "" {
		return cc
	}
	return "cc"
}

// compile builds a program from testdata.
func compile(name string, flags ...string) (string, error) {
	program := filepath.Join(scratch, name)
	args := append([]string{
		"-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-o", program,
		"testdata/" + name + ".c",
	}, flags...)
	out, err := exec.Command(compiler(), args...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %v\n%s", name, err, out)
	}
	return program, nil
}

var (
	// static, as latchkey-login is: a program with libraries would have to open them
	buildLogin = sync.OnceValues(func() (string, error) { return compile("login", "-static") })
	buildHost  = sync.OnceValues(func() (string, error) {
		return compile("host",
			append(strings.Fields(sanitizers), "-rdynamic", "-lpam", "-lpthread")...)
	})
)

func must(t testing.TB, build func() (string, error)) string {
	t.Helper()
	path, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// writeService writes a PAM configuration that depends on no service file of the machine.
func writeService(t testing.TB, dir, lines string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "latchkey-test"), []byte(lines), 0o644); err != nil {
		t.Fatal(err)
	}
}

// newAttempt returns a login of root at a scripted login program that follows args.
func newAttempt(t testing.TB, args ...string) attempt {
	t.Helper()
	dir := t.TempDir()
	writeService(t, dir, "auth required pam_permit.so\n")
	user := "root"
	return attempt{
		conversation: conversation{answer: "123456"},
		confdir:      dir, service: "latchkey-test", user: &user,
		args: args, deadline: long,
	}
}

func (a attempt) at(t testing.TB) attempt {
	a.program = must(t, buildLogin)
	return a
}

// send returns the script's command to send one frame.
func send(frame string) string { return "send=" + hex.EncodeToString([]byte(frame)) }

// noChildren fails the test if this process has a child, dead or alive.
func noChildren(t testing.TB) {
	t.Helper()
	var info unix.Siginfo
	err := unix.Waitid(unix.P_ALL, 0, &info, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT, nil)
	if !errors.Is(err, unix.ECHILD) {
		t.Errorf("a child is left behind (waitid: %v)", err)
	}
}

// notes returns what a scripted login program wrote: the values of each key, with hexadecimal ones
// decoded.
func notes(t testing.TB, path string) map[string][]string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for line := range strings.Lines(string(text)) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "frame", "hello", "environment", "status", "limits", "arguments":
			decoded, err := hex.DecodeString(value)
			if err != nil {
				t.Fatal(err)
			}
			value = string(decoded)
		}
		all[key] = append(all[key], value)
	}
	return all
}
