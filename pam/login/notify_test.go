package main_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/pam/notify/dispatch"
	"latchkey/pam/testroot"
)

// listener is a host whose program of [notify] is a shell script that works in a directory of its
// own.
func listener(t *testing.T, script string) *host {
	t.Helper()
	h := newHost(t, "[limits]\nfailures = \"2/10m\"\n[notify]\nprogram = \"/opt/tell\"\n")
	notifier, err := built("latchkey-notify", "latchkey/pam/notify")
	testroot.Must(t, err)
	for _, dir := range []string{"opt", "out", filepath.Dir(dispatch.Program)} {
		testroot.Must(t, os.MkdirAll(h.root.Join(dir), 0o755))
	}
	testroot.Must(t, os.Link(notifier, h.root.Join(dispatch.Program)))
	testroot.Must(t, os.Chmod(h.root.Join("out"), 0o1777))
	testroot.Must(t, os.Chmod(home(), 0o755))
	text := "#!/bin/sh\ncd " + h.root.Join("out") + " || exit\n" + script + "\n"
	testroot.Executable(t, h.root.Join("opt/tell"), []byte(text))
	return h
}

// heard waits for the program to be told n events, and returns their lines of JSON.
func (h *host) heard(n int) []string {
	h.t.Helper()
	for end := time.Now().Add(bound); ; time.Sleep(time.Millisecond) {
		text, _ := os.ReadFile(h.root.Join("out/events"))
		if lines := strings.SplitAfter(string(text), "\n"); len(lines) > n {
			return lines[:n]
		}
		if time.Now().After(end) {
			h.t.Fatalf("the program heard %q, want %d events", text, n)
		}
	}
}

// signIn types codes as alice until the verdict, which it returns.
func (h *host) signIn(codes ...string) string {
	h.t.Helper()
	g := h.login()
	for {
		frame, err := g.receive()
		testroot.Must(h.t, err)
		switch frame[0] {
		case 'V':
			g.end()
			return frame
		case 'Q':
			g.send("A" + codes[0])
			codes = codes[1:]
		default:
			g.send("A")
		}
	}
}

func TestProgramIsToldOfALoginWithUserAndAddress(t *testing.T) {
	h := listener(t, "cat >>events")
	if got := h.signIn(h.code()); got != "V2 allow" {
		t.Fatalf("the verdict is %q", got)
	}
	host, err := os.Hostname()
	testroot.Must(t, err)
	got := h.heard(1)[0]
	for _, want := range []string{
		`{"version":1,"event":"new-network","time":"2`,
		fmt.Sprintf(`Z","host":%q,"user":"alice","service":"sshd","from":"192.0.2.7",`, host),
		`"method":"totp","device":"phone","by":"","detail":"192.0.2.0/24"}`,
	} {
		if !strings.Contains(got, want) {
			t.Errorf("the program heard %s, want %s in it", got, want)
		}
	}
	if strings.Contains(got, h.code()) {
		t.Errorf("the program heard the code: %s", got)
	}
}

func TestProgramIsToldOfLock(t *testing.T) {
	h := listener(t, "cat >>events")
	if got := h.signIn(testroot.WrongCodes(t, 2, time.Now(), h.phone)...); got != "V2 deny 11" {
		t.Fatalf("the verdict is %q", got)
	}
	if got := h.heard(1)[0]; !strings.Contains(got, `"event":"lock"`) ||
		!strings.Contains(got, `"detail":"until 2`) {
		t.Errorf("the program heard %s", got)
	}
}

// A program that never ends delays neither the verdict nor the end of the login program.
func TestProgramThatHangsDelaysNoLogin(t *testing.T) {
	h := listener(t, "mkfifo fifo; echo $PPID >events; read -r x <fifo")
	g := h.login()
	g.expect(prompt)
	g.send("A" + h.code())
	g.verdict("allow") // and the login program ends by itself, or this fails
	h.logged(`verdict=allow ` + alice + `method=totp device="phone" reason=ok tries=1 ms=\d+`)
	h.free()
	notifier := strings.TrimSpace(h.heard(1)[0])
	stat, err := os.ReadFile("/proc/" + notifier + "/stat")
	testroot.Must(t, err)
	fields := strings.Fields(string(stat))
	if fields[1] != "(latchkey-notify)" || fields[5] != notifier || fields[6] != "0" {
		t.Errorf("got %q, want latchkey-notify in a session of its own without a terminal",
			fields[:8])
	}
	fds, err := os.ReadDir("/proc/" + notifier + "/fd")
	testroot.Must(t, err)
	for _, fd := range fds {
		to, _ := os.Readlink("/proc/" + notifier + "/fd/" + fd.Name())
		if strings.HasPrefix(to, "socket:") {
			t.Errorf("it has the socket %s", fd.Name())
		}
	}
	testroot.Must(t, os.WriteFile(h.root.Join("out/fifo"), []byte("go on\n"), 0o600))
	for err == nil { // the next test has the same root
		_, err = os.Stat("/proc/" + notifier)
	}
	h.silent()
}

func TestLoginWorksHoweverTheProgramEnds(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(h *host) error
		why   string
	}{
		"it is missing": {func(h *host) error {
			return os.Remove(h.root.Join("opt/tell"))
		}, "no such file"},
		"its group can write it": {func(h *host) error {
			return os.Chmod(h.root.Join("opt/tell"), 0o775)
		}, "mode 0775"},
		"latchkey-notify is missing": {func(h *host) error {
			return os.Remove(h.root.Join(dispatch.Program))
		}, "latchkey-notify: no such file"},
	} {
		t.Run(name, func(t *testing.T) {
			h := listener(t, ": >ran")
			testroot.Must(t, c.spoil(h))
			if got := h.signIn(h.code()); got != "V2 allow" {
				t.Fatalf("the verdict is %q", got)
			}
			h.logged(`verdict=allow ` + alice +
				`method=totp device="phone" reason=ok tries=1 ms=\d+`)
			h.logged(`untold=new-network user="alice" program="/opt/tell" detail=".*` + c.why +
				`.*"`)
			if _, err := os.Stat(h.root.Join("out/ran")); err == nil {
				t.Error("the program was run")
			}
		})
	}
}

func TestNothingIsStartedWithoutEventOrProgram(t *testing.T) {
	h := listener(t, "cat >>events")
	h.signIn(h.code())
	h.heard(1)
	testroot.Must(t, os.Remove(h.root.Join(dispatch.Program))) // starting it would be logged
	h.line()
	h.signIn(h.wrong(), h.wrong(), "") // there is nothing to report
	h.line()
	h.silent()
}
