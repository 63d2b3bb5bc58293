//go:build cgo

package main_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/testroot"
)

// memory returns all that a process can have written: its writable mappings, heap and stacks
// included.
func memory(t *testing.T, pid int) []byte {
	t.Helper()
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	testroot.Must(t, err)
	defer mem.Close()
	var all bytes.Buffer
	for line := range strings.Lines(string(testroot.Read(t, fmt.Sprintf("/proc/%d/maps", pid)))) {
		var from, to int64
		var rights string
		fmt.Sscanf(line, "%x-%x %s", &from, &to, &rights)
		if !strings.HasPrefix(rights, "rw") {
			continue
		}
		part := make([]byte, to-from)
		n, err := mem.ReadAt(part, from)
		if err != nil {
			t.Fatalf("%s: %v", strings.TrimSpace(line), err)
		}
		all.Write(part[:n])
	}
	return all.Bytes()
}

// keepsNothing checks that none of these is in the application's memory in any spelling.
func (a *applied) keepsNothing(secrets map[string]string) {
	a.t.Helper()
	all := memory(a.t, a.cmd.Process.Pid)
	if !bytes.Contains(all, []byte("latchkey")) {
		a.t.Fatal("not even the name of the service is found there: this is not its memory")
	}
	for what, secret := range secrets {
		plain := regexp.MustCompile(`[ -]`).ReplaceAllString(secret, "")
		if bytes.Contains(all, []byte(secret)) || bytes.Contains(all, []byte(plain)) {
			a.t.Errorf("%s is in the application's memory", what)
		}
	}
}

// FAULTS 42
func TestApplicationMemoryHoldsNoCodeAfterALogin(t *testing.T) {
	name, id := me(t)
	h := newHost(t, "")
	phone := testroot.TOTP("phone")
	phone.Period, phone.Digits = 24*time.Hour, 8
	h.root.Enroll(t, name, id, phone)
	code, wrong := testroot.Code(t, phone, time.Now()), "48151623"
	a := apply(t, nil, module(t), name)
	a.hears()
	// With leading spaces: the first bytes of freed memory are overwritten in any case.
	a.answers(strings.Repeat(" ", 40) + wrong)
	a.hears()
	a.answers(strings.Repeat(" ", 40) + code)
	a.ends("0")
	a.keepsNothing(map[string]string{"the code": code, "the wrong code": wrong})
}

// FAULTS 42
func TestApplicationMemoryHoldsNoSecretAfterAFirstEnrollment(t *testing.T) {
	name, _ := me(t)
	newcomer(t)
	a := apply(t, nil, module(t), name)
	prompt := a.hears()
	secret := regexp.MustCompile(`type it in by hand: ([A-Z2-7 ]+)\n`).FindStringSubmatch(prompt)
	if secret == nil {
		t.Fatalf("no secret in %q", prompt)
	}
	code := testroot.Code(t, appOf(t, secret[1]), time.Now())
	a.answers(code)
	codes := regexp.MustCompile(
		`\b[0-9a-zA-Z]{4,5}(-[0-9a-zA-Z]{4,5})+\b`).FindAllString(a.hears(), -1)
	if len(codes) != 10 {
		t.Fatalf("%d recovery codes", len(codes))
	}
	a.answers("ok")
	a.ends("0")
	secrets := map[string]string{"the secret": secret[1], "the code": code}
	for i, c := range codes {
		secrets[fmt.Sprint("recovery code ", i+1)] = c
	}
	a.keepsNothing(secrets)
}

// executed matches an execve(2) in the fixed environment: the program and its only argument.
var executed = regexp.MustCompile(`^execve\("([^"]*)", \["([^"]*)"\], ` +
	`\["PATH=[^"]*", "LC_ALL=C", "GOGC=off", "GOMAXPROCS=1", "GOTRACEBACK=none"\]` +
	`( <unfinished \.\.\.>|\) = 0)$`)

// FAULTS 42
func TestProgramsOfALoginHaveOnlyTheirNameAsArgument(t *testing.T) {
	name, _ := me(t)
	newcomer(t)
	trace := filepath.Join(t.TempDir(), "trace")
	a := apply(t, testroot.Strace(t, "-o", trace, "-e", "trace=execve", "-s", "4096", "-v"),
		module(t), name)
	a.hears()
	a.in.Close()
	a.cmd.Wait()
	var programs []string
	for _, call := range calls(t, trace)[1:] { // all but the application itself
		m := executed.FindStringSubmatch(call)
		if m != nil && m[1] == m[2] {
			programs = append(programs, filepath.Base(m[1]))
		} else if strings.HasPrefix(call, "execve") {
			t.Errorf("a program was started by %s", call)
		}
	}
	// strace shows the one execve of a process with threads for two of them now and then, also for
	// one that Go's runtime runs nothing of the program in.
	got, want := slices.Compact(programs), []string{"latchkey-login", "latchkey-enroll"}
	if !slices.Equal(got, want) {
		t.Errorf("the programs started are %q, want %q\n%s", got, want, testroot.Read(t, trace))
	}
}
