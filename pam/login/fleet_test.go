package main_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/testfleet"
	flow "latchkey/pam/flow/prompt"
	"latchkey/pam/testroot"
)

// A single host pays two system calls for the question whether it is one of a fleet.
func TestSingleHostLooksForAFleetOnce(t *testing.T) {
	h := newHost(t, "")
	trace := filepath.Join(t.TempDir(), "trace")
	g := h.start(testroot.Strace(t, "-o", trace, "-s", "100", "-e", "trace=file"))
	g.send("H" + hello("alice"))
	g.expect(prompt)
	g.send("A" + h.code())
	g.verdict("allow")
	var looks []string
	for _, line := range calls(t, trace) {
		if regexp.MustCompile(`fleet|breakglass`).MatchString(line) {
			looks = append(looks, line)
		}
	}
	if len(looks) != 2 || !strings.Contains(looks[0], "/etc/latchkey/fleet.toml") ||
		!strings.Contains(looks[1], "/var/lib/latchkey/fleet.key") ||
		!strings.Contains(looks[0], "ENOENT") || !strings.Contains(looks[1], "ENOENT") {
		t.Errorf("got %q, want one look for fleet.toml and one for fleet.key", looks)
	}
}

func TestProgramLogsInToAFleet(t *testing.T) {
	h := newHost(t, "")
	fleet := standin.Start(t, time.Now)
	app := testroot.TOTP("app")
	app.Period = 24 * time.Hour
	fleet.Root.Enroll(t, "alice", uid, app)
	fleet.Join(h.root, "web1", "")
	g := h.login()
	g.expect(prompt)
	g.send("A" + h.code()) // of the host's own record
	g.expect("QNot accepted. From your app. Verification code: ")
	g.send("A" + testroot.Code(t, app, time.Now()))
	g.verdict("allow")
}

// hangs makes latchkey-fleet a program that notes its process id and never answers.
func (h *host) hangs() (pid func() string) {
	h.t.Helper()
	fleet := standin.Start(h.t, time.Now)
	fleet.Join(h.root, "web1", "unreachable = 'break-glass'\nbreak_glass = ['alice']\n")
	note := h.root.Join("pid")
	testroot.Must(h.t, os.WriteFile(note, nil, 0o666))
	testroot.Must(h.t, os.Chmod(note, 0o666))
	standin.Program(h.t, h.root, []byte("#!/bin/sh\necho $$ >"+note+"\nexec sleep 600\n"))
	return func() string { return strings.TrimSpace(string(testroot.Read(h.t, note))) }
}

func TestProgramThatNeverAnswersForAFleetIsEnded(t *testing.T) {
	h := newHost(t, "")
	pid := h.hangs()
	g := h.login()
	g.expect("EYour code could not be checked. It may be used up: wait for the next one.")
	g.send("A")
	g.verdict("deny 9")
	h.logged(`verdict=deny ` + alice + `method=none device="" reason=fleet tries=0 ms=\d+ ` +
		`detail="\(unknown\) latchkey-fleet: no answer in time"`)
	if _, err := os.Stat("/proc/" + pid()); pid() == "" || err == nil {
		t.Errorf("process %q is left", pid())
	}
}

func TestProgramForAFleetEndsWithItsHost(t *testing.T) {
	h := newHost(t, "")
	pid := h.hangs()
	g := h.login()
	until := time.Now().Add(bound)
	for pid() == "" && time.Now().Before(until) {
		time.Sleep(time.Millisecond)
	}
	g.hangUp()
	g.end()
	if _, err := os.Stat("/proc/" + pid()); pid() == "" || err == nil {
		t.Errorf("process %q is left", pid())
	}
}

// ofAFleet is all that a login links of pam/fleet: nothing of the service, of its database, or of
// the making of codes.
var ofAFleet = []string{"breakglass", "carrier", "dispatch", "fleetkey", "remote", "settings",
	"wire"}

func TestProgramLinksTheHostsSideOfAFleetAlone(t *testing.T) {
	for _, program := range []string{"latchkey/pam/login", "latchkey/enroll/firstlogin"} {
		var got []string
		for _, path := range list(t, "-deps", program) {
			if name, ok := strings.CutPrefix(path, "latchkey/pam/fleet/"); ok {
				got = append(got, name)
			}
			if strings.Contains(path, "etcd") || strings.Contains(path, "grpc") {
				t.Errorf("%s links %s", program, path)
			}
		}
		slices.Sort(got)
		if !slices.Equal(got, ofAFleet) {
			t.Errorf("%s: got %q of pam/fleet, want %q", program, got, ofAFleet)
		}
	}
}

// The services' clocks count, and not the host's: a question that is older or newer than half a
// minute could be an old one that someone sends again. The programs read the clock of the machine,
// so it is the service's that is off here.
func TestHostWhoseClockIsAMinuteOffLetsNoOneInAndSaysSo(t *testing.T) {
	for off, allowed := range map[time.Duration]bool{
		time.Minute: false, -time.Minute: false, 20 * time.Second: true,
	} {
		h := newHost(t, "")
		f := testfleet.New(t, "")
		f.Clock = func() time.Time { return time.Now().Add(off) }
		f.Start(t, 1)
		app := testroot.TOTP("app")
		app.Period = 24 * time.Hour
		f.Enroll(t, "alice", app)
		standin.Configure(t, h.root, f.Settings(t, "web1", hosts.Verify), "")
		g := h.login()
		if !allowed {
			g.expect("E" + flow.Unreachable)
			g.send("A")
			g.verdict("deny 9")
			h.logged(`verdict=deny .* reason=fleet .* detail=".*the clock of the host is -?1m0s off"`)
			continue
		}
		g.expect(prompt)
		g.send("A" + testroot.Code(t, app, f.Clock()))
		g.verdict("allow")
	}
}
