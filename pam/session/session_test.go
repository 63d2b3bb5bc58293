package session

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/pam/audit"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

const codePrompt = "QFrom your app. Verification code: "

func TestTimeForTheUserIsNotInTheLog(t *testing.T) {
	h := newHost(t)
	phone := testroot.TOTP("phone")
	h.root.Enroll(t, "alice", uid, phone)
	g := h.begin(nil, nil)
	g.send(helloFrame(fields("alice")...))
	g.expect(codePrompt)
	h.clock.advance(10 * time.Second)
	g.send("A" + testroot.Code(t, phone, h.clock.read()))
	g.verdict("allow")
	h.wantLog(`<85>latchkey: verdict=allow user="alice" service="sshd" from="192.0.2.7" ` +
		`method=totp device="phone" reason=ok tries=1 ms=0`)
}

func TestDenialIsAWarningWithItsCode(t *testing.T) {
	h := newHost(t)
	h.root.Policy(t, "[limits]\ntries = 1\n")
	phone := testroot.TOTP("phone")
	h.root.Enroll(t, "alice", uid, phone)
	g := h.begin(nil, nil)
	g.send(helloFrame(fields("alice")...))
	g.expect(codePrompt)
	g.send("A" + testroot.WrongCode(t, testroot.Noon, phone))
	frame := g.receive()
	for ; strings.HasPrefix(frame, "E"); frame = g.receive() {
		g.send("A")
	}
	if frame != "V2 deny 11" {
		t.Errorf("got frame %q, want a denial with PAM_MAXTRIES", frame)
	}
	g.exit(0)
	h.wantLog(`<84>latchkey: verdict=deny`, "reason=wrong", "tries=1")
}

// without returns the hello of alice without the fields that begin with prefix, and with more.
func without(prefix string, more ...string) string {
	var kept []string
	for _, f := range fields("alice") {
		if !strings.HasPrefix(f, prefix) {
			kept = append(kept, f)
		}
	}
	return helloFrame(append(kept, more...)...)
}

func TestHelloWithAMistakeIsDeniedAndNamedInTheLog(t *testing.T) {
	for name, c := range map[string]struct{ frame, detail string }{
		"of another type":           {"Q", "the gate began with a frame of type 'Q'"},
		"of another version":        {"H1\x00user=a\x00", "of another version"},
		"of another version, ended": {"H3", "of another version"},
		"with no end":               {strings.TrimSuffix(without("x"), "\x00"), "is malformed"},
		"with no fields":            {"H2\x00", "has no user"},
		"with a field with no key":  {without("x", "alice"), "is malformed"},
		"with a field twice":        {without("x", "user=bob"), "is malformed"},
		"with no user":              {without("user="), "has no user"},
		"with no name":              {without("name="), "has no name"},
		"with no uid":               {without("uid="), "has no uid"},
		"with no service":           {without("service="), "has no service"},
		"with no rhost":             {without("rhost="), "has no rhost"},
		"with no auth_info":         {without("auth_info="), "has no auth_info"},
		"with an unknown field":     {without("x", "color=blue"), "unknown field"},
		"with a negative uid":       {without("uid=", "uid=-1"), "malformed uid"},
		"with a uid past 32 bits":   {without("uid=", "uid=4294967296"), "malformed uid"},
		"that is too long":          {"H" + strings.Repeat("x", 32768), "too long"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHost(t)
			g := h.begin(nil, nil)
			g.send(c.frame)
			g.verdict("deny 4")
			h.wantLog(`<84>latchkey: verdict=deny user="" `, "reason=internal tries=0 ms=0",
				c.detail)
		})
	}
}

func TestHelloSaysWhatTheGateKnows(t *testing.T) {
	base := flow.Request{User: "alice", Name: "alice", Service: "sshd", From: "192.0.2.7"}
	change := func(f func(r *flow.Request)) flow.Request {
		r := base
		f(&r)
		return r
	}
	for frame, want := range map[string]flow.Request{
		without("x"): change(func(r *flow.Request) { r.UID, r.Lookup = 1000, flow.Found }),
		without("uid=", "uid=0"): change(func(r *flow.Request) {
			r.UID, r.Lookup = 0, flow.Found
		}),
		without("uid=", "uid=4294967295"): change(func(r *flow.Request) {
			r.UID, r.Lookup = 4294967295, flow.Found
		}),
		without("uid=", "uid=none"): change(func(r *flow.Request) { r.Lookup = flow.NoSuchUser }),
		without("uid=", "uid=error"): change(
			func(r *flow.Request) { r.Lookup = flow.LookupFailed }),
		without("uid=", "uid=none", "own=1", "sshd=1"): change(func(r *flow.Request) {
			r.Lookup, r.ByEnroll, r.BySSHD = flow.NoSuchUser, true, true
		}),
		without("uid=", "uid=none", "own=0", "sshd=0", "arg=debug", "arg=conf=/x"): change(
			func(r *flow.Request) {
				r.Lookup, r.Args = flow.NoSuchUser, []string{"debug", "conf=/x"}
			}),
	} {
		ours, theirs := sockets(t)
		(&gate{t: t, fd: ours}).send(frame)
		parts, err := newWire(theirs).hello()
		testroot.Must(t, err)
		got, err := parseHello(parts)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %+v, %v; want %+v", frame, got, err, want)
		}
	}
}

func TestGateThatEndsBeforeTheHelloLeavesNoLine(t *testing.T) {
	h := newHost(t)
	g := h.begin(nil, nil)
	g.hangUp()
	g.exit(1)
	if lines := h.logged(); lines != nil {
		t.Errorf("logged %q, want nothing", lines)
	}
}

func TestVerdictThatNoOneReceivesIsLoggedAndAFailure(t *testing.T) {
	h := newHost(t)
	h.root.Policy(t, "[[rule]]\nrequire = \"none\"\n")
	ours, theirs := sockets(t)
	g := &gate{t: t, fd: ours}
	g.send(helloFrame(fields("alice")...))
	g.hangUp()
	s := Session{FD: theirs, Root: string(h.root), Clock: h.clock.read}
	if got := s.Run(); got != 1 {
		t.Errorf("got exit status %d, want 1", got)
	}
	h.wantLog("verdict=allow", "reason=exempt")
}

func TestAnswerAboutAKeyIsNotLogged(t *testing.T) {
	h := newHost(t)
	g := h.begin(nil, nil)
	g.send(helloFrame(append(fields("alice"), "arg=if_publickey")...))
	g.verdict("deny 7")
	if lines := h.logged(); lines != nil {
		t.Errorf("logged %q, want nothing", lines)
	}
}

func TestDebugIsLoggedAsSuch(t *testing.T) {
	h := newHost(t)
	h.root.Policy(t, "[[rule]]\nrequire = \"deny\"\n")
	g := h.begin(nil, nil)
	g.send(helloFrame(append(fields("alice"), "arg=debug")...))
	if frame := g.receive(); strings.HasPrefix(frame, "E") {
		g.send("A")
	}
	g.verdict("deny 11")
	lines := h.logged()
	if len(lines) < 2 || !strings.HasPrefix(lines[0], "<87>latchkey: debug: ") {
		t.Errorf("logged %q, want a line for debugging first", lines)
	}
}

func TestUserWhoMustEnrollGetsTheVerdictOfTheEnrollment(t *testing.T) {
	for name, c := range map[string]struct {
		outcome   verdict.Outcome
		says, log string
	}{
		"allowed": {verdict.Outcome{Allow: true, Reason: verdict.OK}, "allow", "verdict=allow"},
		"denied":  {verdict.Outcome{Reason: verdict.Unenrolled}, "deny 11", "verdict=deny"},
		"zero":    {verdict.Outcome{}, "deny 4", "verdict=deny"},
	} {
		for _, handed := range []bool{false, true} {
			h := newHost(t)
			h.root.Policy(t, "unenrolled = \"enroll\"\n")
			want := append([]string{"2"}, fields("bob")...)
			var before []string
			if handed {
				before = want
			}
			var got []string
			g := h.begin(before, func(e Enrolling) verdict.Outcome {
				got = e.Hello
				if e.Request.Name != "bob" || e.Policy == nil {
					t.Errorf("%s: got the request %+v and the policy %v", name, e.Request,
						e.Policy)
				}
				return c.outcome
			})
			if !handed {
				g.send(helloFrame(fields("bob")...))
			}
			g.verdict(c.says)
			h.wantLog(c.log, `user="bob"`)
			if strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("%s: got the hello %q, want %q", name, got, want)
			}
		}
	}
}

func TestCrashIsADenialWithALine(t *testing.T) {
	h := newHost(t)
	h.root.Policy(t, "unenrolled = \"enroll\"\n")
	g := h.begin(nil, func(Enrolling) verdict.Outcome {
		panic("no such luck")
	})
	g.send(helloFrame(fields("bob")...))
	g.verdict("deny 4")
	h.wantLog(`verdict=deny user="bob"`, "reason=internal", `detail="crashed: no such luck"`)
}

func TestHolderThatWasEndedIsLogged(t *testing.T) {
	h := newHost(t)
	logEnded(&audit.Syslog{Path: h.root.Join("dev/log")})(
		safefile.Holder{PID: 4711, Program: "/usr/bin/enroll", UID: 1000, File: "/x"})
	h.wantLog(`<84>latchkey: ended=4711 program="/usr/bin/enroll" uid=1000 lock="/x"`)
}
