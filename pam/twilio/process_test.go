package main_test

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
)

// hostile is the environment that someone who wants Verify's credentials or its answers would
// set.
func hostile(t *testing.T, proxy, authority string) []string {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, "ca.pem")
	if err := os.WriteFile(file, []byte(authority), 0o644); err != nil {
		t.Fatal(err)
	}
	// the program's user must be able to read it
	for _, d := range []string{dir, filepath.Dir(dir)} {
		if err := os.Chmod(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return []string{
		"GODEBUG=http2debug=1,netdns=9,gctrace=1,x509sha1=1", "GOTRACEBACK=system",
		"SSL_CERT_FILE=" + file, "SSL_CERT_DIR=" + dir,
		"HTTPS_PROXY=" + proxy, "https_proxy=" + proxy, "HTTP_PROXY=" + proxy,
		"ALL_PROXY=" + proxy,
		"TWILIO_EDGE=sydney", "TWILIO_REGION=au1", "TWILIO_ACCOUNT_SID=" + otherSID("AC"),
		"TWILIO_AUTH_TOKEN=x",
		"SSLKEYLOGFILE=" + filepath.Join(dir, "keys"), "RES_OPTIONS=debug", "TMPDIR=" + dir,
	}
}

func TestHostileEnvironmentMakesNoDifference(t *testing.T) {
	proxy := listen(t, func(net.Conn) {})
	s := startStandin(t, standin.Options{})
	environment := hostile(t, "http://"+proxy.Addr().String(), s.Settings().CA)

	sent := want(t, ask(t, sendTo(s.Settings(), method.SMS), environment...), protocol.Sent)
	want(t, ask(t, checkOf(s.Settings(), sent.SID, s.Code(number)), environment...),
		protocol.Approved)
	if seen := s.Seen(); len(seen) != 2 || seen[0].User != s.Settings().APIKey {
		t.Errorf("%+v", seen)
	}

	untrusted := s.Settings()
	untrusted.CA = "" // the system's, among which SSL_CERT_FILE would put the stand-in's
	want(t, ask(t, sendTo(untrusted, method.SMS), environment...), protocol.Certificate)
	if opened, _ := proxy.got(); opened != 0 || len(s.Seen()) != 2 {
		t.Errorf("%d connections to the proxy, %d requests", opened, len(s.Seen()))
	}
}

// waiting is a program that holds a request which the server does not answer. done ends it.
func waiting(t *testing.T, environment ...string) (pid int, r protocol.Request) {
	t.Helper()
	s := startStandin(t, standin.Options{})
	arrived := make(chan struct{}, 1)
	s.Fail(func(f standin.Faulty) {
		arrived <- struct{}{}
		standin.Silence(f)
	})
	r = checkOf(s.Settings(), otherSID("VE"), "739501")
	input, err := protocol.EncodeRequest(r)
	if err != nil {
		t.Fatal(err)
	}
	cmd := command(t, environment...)
	cmd.Stdin = bytes.NewReader(input)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	t.Cleanup(func() { cmd.Process.Kill(); <-ended })
	select {
	case <-arrived:
	case <-ended:
		t.Fatal("the program ended early")
	}
	return cmd.Process.Pid, r
}

func proc(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }

func TestArgumentsAndEnvironmentHaveNoSecret(t *testing.T) {
	pid, r := waiting(t, "SOMETHING=else")
	needRoot(t, "only root can look into a process that is not dumpable")
	for _, name := range []string{"cmdline", "environ", "comm", "status"} {
		data, err := os.ReadFile(proc(pid, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "environ" && string(data) != "GOMAXPROCS=1\x00" {
			t.Errorf("got the environment %q, want GOMAXPROCS alone", data)
		}
		if name == "cmdline" && bytes.Count(data, []byte{0}) != 1 {
			t.Errorf("there are arguments: %q", data)
		}
		for _, hidden := range secrets(r) {
			if strings.Contains(string(data), hidden) {
				t.Errorf("%s has a secret: %q", name, data)
			}
		}
	}
}

func TestAnotherProcessOfTheSameUserCannotLookIntoTheProgram(t *testing.T) {
	pid, _ := waiting(t)
	for _, name := range []string{"environ", "mem", "maps", "fd/0"} {
		cmd := exec.Command("head", "-c", "0", proc(pid, name))
		if os.Geteuid() == 0 {
			cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody,
				Gid: nobody}}
		}
		if out, err := cmd.CombinedOutput(); err == nil ||
			!strings.Contains(string(out), "ermission denied") {
			t.Errorf("%s: %v %s", name, err, out)
		}
	}
}

func TestProgramLeavesNoCoreAndGainsNoPrivileges(t *testing.T) {
	pid, _ := waiting(t)
	for name, line := range map[string]string{"limits": "Max core file size 0 0 bytes",
		"status": "NoNewPrivs: 1"} {
		data, err := os.ReadFile(proc(pid, name))
		if err != nil {
			t.Fatal(err)
		}
		if !strings.Contains(strings.Join(strings.Fields(string(data)), " "), line) {
			t.Errorf("no %q in %s", line, data)
		}
	}
}

func TestMalformedRequestGetsARefusalAndSendsNothing(t *testing.T) {
	s := startStandin(t, standin.Options{})
	good, err := protocol.EncodeRequest(sendTo(s.Settings(), method.SMS))
	if err != nil {
		t.Fatal(err)
	}
	for name, input := range map[string]string{
		"nothing":                "",
		"half a request":         string(good[:len(good)/2]),
		"a request and more":     string(good) + "{}",
		"two requests":           string(good) + string(good),
		"a request that is long": string(good) + strings.Repeat(" ", protocol.MaxMessage),
		"another version":        strings.Replace(string(good), `"version":1`, `"version":2`, 1),
		"a number that is none":  strings.Replace(string(good), number, "15551230123", 1),
		"a channel that is none": strings.Replace(string(good), `"sms"`, `"fax"`, 1),
		"a base that is http":    strings.Replace(string(good), "https://", "http://", 1),
		"a service that is none": strings.Replace(string(good), `"VA`, `"VB`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			a := want(t, run(t, []byte(input)), protocol.Refused)
			if a.Detail == "" || a.HTTPStatus != 0 {
				t.Errorf("%+v", a)
			}
		})
	}
	if s.Connections() != 0 {
		t.Errorf("%d connections", s.Connections())
	}
}

func needRoot(t *testing.T, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip(why)
	}
}
