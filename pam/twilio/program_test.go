package main_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
)

// program is latchkey-twilio, static as it is installed, but readable for its user: installed with
// mode 0711 it would not be dumpable, even if it forbade that.
var program string

func TestMain(m *testing.M) { os.Exit(build(m)) }

func build(m *testing.M) int {
	dir, err := os.MkdirTemp("", "latchkey-twilio")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	program = filepath.Join(dir, "latchkey-twilio")
	cmd := exec.Command("go", "build", "-o", program, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	for _, file := range []string{dir, program} {
		if err == nil {
			err = os.Chmod(file, 0o755)
		}
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "%v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// nobody is the user that runs the program in tests that run as root.
const nobody = 65534

// command is the program as latchkey-login starts it: unprivileged, without arguments and
// environment. It is killed after a minute, in which every deadline is long over.
func command(t *testing.T, environment ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, program)
	cmd.Env = append([]string{}, environment...)
	cmd.Dir = "/"
	if os.Geteuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody,
			Gid: nobody}}
	}
	return cmd
}

// run gives input to the program and returns the answer that it wrote, which must be all that it
// wrote.
func run(t *testing.T, input []byte, environment ...string) protocol.Answer {
	t.Helper()
	cmd := command(t, environment...)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = bytes.NewReader(input), &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Errorf("the program ended with %v", err)
	}
	if stderr.Len() > 0 {
		t.Errorf("printed on stderr: %s", stderr.String())
	}
	a, err := protocol.DecodeAnswer(stdout.Bytes())
	if err != nil {
		t.Fatalf("%v: %q", err, stdout.String())
	}
	return a
}

// ask gives a request to the program. Nothing that the log must not have is in the answer.
func ask(t *testing.T, r protocol.Request, environment ...string) protocol.Answer {
	t.Helper()
	input, err := protocol.EncodeRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	a := run(t, input, environment...)
	for _, hidden := range secrets(r) {
		if strings.Contains(a.Detail, hidden) {
			t.Errorf("the detail has something to hide: %s", a.Detail)
		}
	}
	return a
}

// secrets are what must not be anywhere but in the request.
func secrets(r protocol.Request) (list []string) {
	for _, s := range []string{strings.TrimPrefix(r.To, "+"), r.Code, r.Service.APISecret,
		r.Service.AuthToken} {
		if s != "" {
			list = append(list, s)
		}
	}
	return list
}

// want demands a result.
func want(t *testing.T, a protocol.Answer, result protocol.Result) protocol.Answer {
	t.Helper()
	if a.Result != result {
		t.Errorf("got %+v, want %s", a, result)
	}
	return a
}

// number is the user's.
const number = "+15551230123"

// long is a deadline that no test waits for; short is one that tests do wait for.
const long, short = 10_000, 1_500

func startStandin(t *testing.T, o standin.Options) *standin.Server {
	t.Helper()
	s, err := standin.Start(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

func sendTo(s access.Settings, channel method.Method) protocol.Request {
	return protocol.Request{Version: 1, Action: protocol.Send, To: number, Channel: channel,
		Service: s, TimeoutMS: long}
}

func checkOf(s access.Settings, sid, code string) protocol.Request {
	return protocol.Request{Version: 1, Action: protocol.Check, To: number, SID: sid, Code: code,
		Service: s, TimeoutMS: long}
}

func probeOf(s access.Settings) protocol.Request {
	return protocol.Request{Version: 1, Action: protocol.Probe, Service: s, TimeoutMS: long}
}

// pending is a stand-in that sent a code, and the request to check that very code.
func pending(t *testing.T) (*standin.Server, protocol.Request) {
	t.Helper()
	s := startStandin(t, standin.Options{})
	sent := want(t, ask(t, sendTo(s.Settings(), method.SMS)), protocol.Sent)
	return s, checkOf(s.Settings(), sent.SID, s.Code(number))
}
