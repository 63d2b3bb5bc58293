package main_test

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
)

// change replaces a text in main.go.
type change struct{ from, to string }

// takenOver answers with what the planted code could do.
var takenOver = change{"return answer(r, clock)", "return planted(r.Service.Base())"}

// unconfined switches the rule off.
var unconfined = change{"err := confined(r.Service)", "err := error(nil)"}

// plant builds the program with testdata/planted.go and changes.
func plant(t *testing.T, folder string, changes ...change) (file string) {
	t.Helper()
	dir, replaced := openFolder(t), map[string]string{}
	here, err := os.Getwd()
	must(t, err)
	put := func(name, text string) {
		file := filepath.Join(dir, name)
		must(t, os.WriteFile(file, []byte(text), 0o644))
		replaced[filepath.Join(here, name)] = file
	}
	other := listen(t, func(net.Conn) {})
	put("planted.go", strings.NewReplacer("FOLDER", folder, "OTHER", other.Addr().String()).
		Replace(contents(t, "testdata/planted.go")))
	text := contents(t, "main.go")
	for _, c := range changes {
		if strings.Count(text, c.from) != 1 {
			t.Fatalf("main.go has %q not once", c.from)
		}
		text = strings.Replace(text, c.from, c.to, 1)
	}
	put("main.go", text)
	overlay, err := json.Marshal(map[string]any{"Replace": replaced})
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, "overlay"), overlay, 0o644))
	file = filepath.Join(dir, "latchkey-twilio")
	cmd := exec.Command("go", "build", "-overlay", filepath.Join(dir, "overlay"), "-o", file, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return file
}

func contents(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	return string(data)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// openFolder is a folder that the program's user may write to, with a file and a socket
// in it.
func openFolder(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for _, d := range []string{filepath.Dir(dir), dir} {
		must(t, os.Chmod(d, 0o777))
	}
	must(t, os.WriteFile(filepath.Join(dir, "there"), nil, 0o666))
	must(t, os.Chmod(filepath.Join(dir, "there"), 0o666))
	l, err := net.Listen("unix", filepath.Join(dir, "socket"))
	must(t, err)
	t.Cleanup(func() { l.Close() })
	must(t, os.Chmod(filepath.Join(dir, "socket"), 0o666))
	return dir
}

// does is what the planted code of a program could do.
func does(t *testing.T, file string) string {
	t.Helper()
	s := startStandin(t, standin.Options{})
	input, err := protocol.EncodeRequest(sendTo(s.Settings(), method.SMS))
	must(t, err)
	cmd := command(t)
	cmd.Path = file
	var stdout bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(input), &stdout
	must(t, cmd.Run())
	a, err := protocol.DecodeAnswer(stdout.Bytes())
	must(t, err)
	return a.Detail
}

// landlock is the version of the kernel's Landlock; 0 is none.
func landlock() int {
	version, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0,
		unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0
	}
	return int(version)
}

// Everything but the look-up of hosts and the connection to Verify is refused, on every thread.
// Without the rule the same code does it all, so that each refusal is the rule's.
func TestTakenOverProgramOpensAndReachesNothingElse(t *testing.T) {
	version := landlock()
	if version < 4 {
		t.Skipf("this kernel's Landlock has version %d, and knows ports from 4 on", version)
	}
	if got := does(t, plant(t, openFolder(t), takenOver)); got != "hosts base interfaces" {
		t.Errorf("got %q done, want hosts, base and interfaces alone", got)
	}
	const all = "hosts base interfaces read list make change remove start connect multipath " +
		"listen unix"
	if got := does(t, plant(t, openFolder(t), takenOver, unconfined)); got != all {
		t.Errorf("without the rule: got %q done, want %q", got, all)
	}
}

// Where the kernel has no Landlock, codes are sent all the same.
func TestKernelWithoutLandlockMakesNoDifferenceToARequest(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		t.Skip("strace, which makes the kernel an old one, is not there")
	}
	s := startStandin(t, standin.Options{})
	input, err := protocol.EncodeRequest(sendTo(s.Settings(), method.SMS))
	must(t, err)
	log := filepath.Join(openFolder(t), "log")
	cmd := command(t)
	cmd.Path = strace
	cmd.Args = []string{"strace", "-f", "-o", log, "-e", "trace=/landlock",
		"-e", "inject=landlock_create_ruleset:error=ENOSYS", program}
	var stdout bytes.Buffer
	cmd.Stdin, cmd.Stdout = bytes.NewReader(input), &stdout
	must(t, cmd.Run())
	a, err := protocol.DecodeAnswer(stdout.Bytes())
	must(t, err)
	want(t, a, protocol.Sent)
	text := contents(t, log)
	if !strings.Contains(text, "ENOSYS") || strings.Contains(text, "landlock_restrict_self") {
		t.Errorf("got %s, want Landlock refused and not used", text)
	}
}
