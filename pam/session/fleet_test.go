package session

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"latchkey/pam/fleet/breakglass"
	"latchkey/pam/fleet/breakglass/issue"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	fleetwire "latchkey/pam/fleet/wire"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// What users of a fleet see.
const (
	unreachable = "The login service cannot be reached. Nobody can log in with a code now."
	notAllowed  = "This machine may not ask for codes."
	maybeUsed   = "Your code could not be checked. It may be used up: wait for the next one."
	sorry       = "The second factor cannot be checked. Ask your administrator to look into the log."

	breakGlassPrompt = "QThe login service cannot be reached.\n" +
		"Type a break-glass code of this host. Verification code: "
)

var alice = record.User{Name: "alice", UID: uid}

// fleetHost is a host of a fleet in which alice has an app. The host's own records, which are
// there from before, have another one.
type fleetHost struct {
	*host
	fleet *standin.Service
	app   record.Device
	codes []string // for break-glass
}

// offline has alice, and not bob, break the glass.
const offline = "unreachable = 'break-glass'\nbreak_glass = ['alice']\n"

func newFleetHost(t *testing.T, more string) *fleetHost {
	t.Helper()
	h := &fleetHost{host: newHost(t), app: testroot.TOTP("phone")}
	h.fleet = standin.Start(t, h.clock.read)
	h.fleet.Root.Enroll(t, "alice", uid, h.app)
	h.fleet.Join(h.root, "web1", more)
	h.root.Enroll(t, "alice", uid, testroot.TOTP("old phone"))
	if more != "" {
		h.codes = breakGlassCodes(t, h.root)
	}
	return h
}

// issued are break-glass codes for alice, of a host whose folder others copy: making them takes
// long on purpose.
var issued = sync.OnceValues(func() (kept []string, err error) {
	root, err := os.MkdirTemp("", "latchkey-break-glass")
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(root+filepath.Dir(breakglass.Path), 0o755); err != nil {
		return nil, err
	}
	codes, err := issue.Codes(root, alice)
	return append([]string{root + breakglass.Path}, codes...), err
})

// breakGlassCodes gives a host codes for alice.
func breakGlassCodes(t *testing.T, root testroot.Root) []string {
	t.Helper()
	kept, err := issued()
	testroot.Must(t, err)
	testroot.Must(t, exec.Command("cp", "-a", kept[0], root.Join(breakglass.Path)).Run())
	return kept[1:]
}

// login begins one of that user.
func (h *fleetHost) login(user string) *gate {
	h.t.Helper()
	g := h.begin(nil, nil)
	g.send(helloFrame(fields(user)...))
	return g
}

// ends takes the texts up to the verdict, or a question, and returns them all.
func (g *gate) ends() (frames []string) {
	g.t.Helper()
	for {
		frame := g.receive()
		frames = append(frames, frame)
		if !strings.HasPrefix(frame, "E") {
			g.hangUp() // a login that asks on has failed its test, and ends
			return frames
		}
		g.send("A")
	}
}

// denied demands that no code is asked for, that the user is told that, and what is logged.
func (h *fleetHost) denied(user, say string, log ...string) {
	h.t.Helper()
	frames := h.login(user).ends()
	if want := []string{"E" + wrapped(say), "V2 deny 9"}; !slices.Equal(frames, want) {
		h.t.Errorf("got %q, want %q", frames, want)
	}
	h.wantLog(append(log, "<84>latchkey: verdict=deny", `method=none device=""`)...)
}

// wrapped breaks a text as the user sees it.
func wrapped(text string) string {
	if len(text) <= 79 {
		return text
	}
	before, after, _ := strings.Cut(text, ". ")
	return before + ".\n" + after
}

func TestCodeOfTheFleetLetsInOnceOnAllHosts(t *testing.T) {
	h := newFleetHost(t, "")
	other := newHost(t)
	h.fleet.Join(other.root, "web2", "")
	g := h.login("alice")
	g.expect(codePrompt)
	g.send("A" + testroot.Code(t, h.app, h.clock.read()))
	g.verdict("allow")
	h.wantLog(`<85>latchkey: verdict=allow user="alice"`, `method=totp device="phone" reason=ok`)
	g = other.begin(nil, nil)
	g.send(helloFrame(fields("alice")...))
	g.expect(codePrompt)
	g.send("A" + testroot.Code(t, h.app, h.clock.read()))
	g.expect("QUsed before: wait for the next code. Verification code: ")
	for _, q := range h.fleet.Asked() {
		if q.User != "alice" || q.UID != uid || q.Service != "sshd" ||
			q.From.String() != "192.0.2.7" {
			t.Errorf("got question %+v", q)
		}
	}
}

// Connections cost the services and the host a millisecond each.
func TestLoginInWhichNothingIsAskedConnectsToNoService(t *testing.T) {
	h := newFleetHost(t, "")
	h.root.Policy(t, "[[rule]]\nusers = ['alice']\nrequire = 'none'\n")
	testroot.Must(t, os.Remove(h.root.Join(settings.KeyPath))) // nor is it read
	h.root.Script(t, dispatch.Program, "exec sleep 60")
	h.login("alice").verdict("allow")
	h.root.Gone(t, 0)
}

func TestRecordsOfTheHostItselfLetNoOneInToAFleet(t *testing.T) {
	h := newFleetHost(t, "")
	testroot.Unchanged(t, h.root.State("alice"))
	g := h.login("alice")
	g.expect(codePrompt)
	g.send("A" + testroot.Code(t, testroot.TOTP("old phone"), h.clock.read()))
	g.expect("QNot accepted. From your app. Verification code: ")
}

func TestUsersWhoAreNotInTheFleetAreNotEnrolled(t *testing.T) {
	h := newFleetHost(t, "")
	h.root.Policy(t, `unenrolled = "deny"`)
	h.root.Enroll(t, "bob", 1001, testroot.TOTP("bob's"))
	g := h.begin(nil, nil)
	g.send(strings.Replace(helloFrame(fields("bob")...), "uid=1000", "uid=1001", 1))
	frames := g.ends()
	if !strings.HasPrefix(frames[0], "ENo second factor is set up") ||
		frames[len(frames)-1] != "V2 deny 11" {
		t.Errorf("got %q", frames)
	}
	h.wantLog("reason=unenrolled")
}

func TestUserOfAFleetWhoMustEnrollIsNotEnrolledIntoTheHostsOwnRecords(t *testing.T) {
	h := newFleetHost(t, "")
	h.root.Policy(t, `unenrolled = "enroll"`)
	g := h.begin(nil, func(login Enrolling) verdict.Outcome {
		if login.Keyring != nil {
			t.Error("got the host's own keyring")
		}
		return verdict.Deny(verdict.Unenrolled, "")
	})
	g.send(strings.Replace(helloFrame(fields("bob")...), "uid=1000", "uid=1001", 1))
	if frames := g.ends(); frames[len(frames)-1] != "V2 deny 11" {
		t.Errorf("got %q", frames)
	}
	h.wantLog("reason=unenrolled")
}

// answered has a service say something to every question.
func answered(say func(w http.ResponseWriter)) func(*fleetHost) {
	return func(h *fleetHost) {
		h.fleet.Before(func(w http.ResponseWriter) bool { say(w); return true })
	}
}

// faulty is what can be wrong with a fleet, and what is said and logged then.
type faulty struct {
	spoil       func(*fleetHost)
	say, detail string
}

// signed are the faults that a service says itself.
var signed = map[fleetwire.Fault]string{
	fleetwire.Revoked: notAllowed, fleetwire.Quarantine: notAllowed, fleetwire.Role: notAllowed,
	fleetwire.Clock: unreachable, fleetwire.Rollback: unreachable, fleetwire.Quota: unreachable,
	fleetwire.Unknown: maybeUsed, fleetwire.Protocol: maybeUsed, fleetwire.Epoch: maybeUsed,
	fleetwire.Internal: maybeUsed, "a fault of a later version": maybeUsed,
}

// faults are all of them but the one that nothing can be connected to.
func faults() map[string]faulty {
	all := map[string]faulty{
		"an older epoch": {func(h *fleetHost) {
			testroot.Must(h.t, remote.Epoch{Root: string(h.root)}.Check(2))
		}, maybeUsed, `"(epoch) the answer is of epoch 1, older than 2"`},
		"another signature": {func(h *fleetHost) { h.fleet.Sign(fleetkey.NewSigning()) },
			maybeUsed, `"(forged) the answer is signed by no key`},
		"a service that says it is unreachable": {
			func(h *fleetHost) { h.fleet.Fault(fleetwire.Unreachable) }, maybeUsed,
			`"(protocol) a service says that it is unreachable"`},
		"a service that says it is forged": {
			func(h *fleetHost) { h.fleet.Fault(fleetwire.Forged) }, maybeUsed,
			`"(protocol) a service says that it is forged"`},
		"status 500": {answered(func(w http.ResponseWriter) { w.WriteHeader(500) }),
			maybeUsed, `"(protocol) `},
		"garbage": {answered(func(w http.ResponseWriter) { io.WriteString(w, "ok") }),
			maybeUsed, `"(forged) `},
		"a connection that ends": {
			answered(func(http.ResponseWriter) { panic(http.ErrAbortHandler) }),
			maybeUsed, `"(unknown) `},
		"another certificate": {func(h *fleetHost) {
			ca := "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
			testroot.Must(h.t, os.WriteFile(h.root.Join(settings.CAPath), []byte(ca), 0o644))
		}, maybeUsed, `"(protocol) `},
		"no latchkey-fleet": {func(h *fleetHost) {
			testroot.Must(h.t, os.Remove(h.root.Join(dispatch.Program)))
		}, maybeUsed, `"(unknown) latchkey-fleet: no such file`},
	}
	for fault, say := range signed {
		all[string(fault)] = faulty{func(h *fleetHost) { h.fleet.Fault(fault) }, say,
			`"(` + string(fault) + `) because"`}
	}
	return all
}

// The table of faults: each with a fleet whose absence denies, and with one where alice, but not
// bob, may break the glass.
func TestEveryFaultOfTheFleetDenies(t *testing.T) {
	for name, c := range faults() {
		t.Run(name, func(t *testing.T) {
			for _, more := range []string{"", offline} {
				h := newFleetHost(t, more)
				c.spoil(h)
				h.denied("bob", c.say, "reason=fleet tries=0 ms=0 detail="+c.detail)
				h.denied("alice", c.say, "reason=fleet tries=0 ms=0 detail="+c.detail)
			}
		})
	}
}

func TestOnlyNamedUsersOfAnUnreachableFleetMayBreakTheGlass(t *testing.T) {
	for _, more := range []string{"", "break_glass = ['alice']\n", offline} {
		h := newFleetHost(t, more)
		h.fleet.Stop()
		h.denied("bob", unreachable, `reason=fleet tries=0 ms=0 detail="(unreachable) `)
		if more == offline {
			h.login("alice").expect(breakGlassPrompt)
			continue
		}
		h.denied("alice", unreachable, `reason=fleet tries=0 ms=0 detail="(unreachable) `)
	}
}

func TestWrongSettingsDenyAsAWrongPolicyDoes(t *testing.T) {
	for name, spoil := range map[string]func(h *fleetHost) error{
		"a mistake": func(h *fleetHost) error {
			return os.WriteFile(h.root.Join(settings.Path), []byte("services = 1\n"), 0o644)
		},
		"an empty file": func(h *fleetHost) error {
			return os.WriteFile(h.root.Join(settings.Path), nil, 0o644)
		},
		"a file for everyone": func(h *fleetHost) error {
			return os.Chmod(h.root.Join(settings.Path), 0o666)
		},
		"a directory": func(h *fleetHost) error {
			os.Remove(h.root.Join(settings.Path))
			return os.Mkdir(h.root.Join(settings.Path), 0o755)
		},
		"no settings": func(h *fleetHost) error { return os.Remove(h.root.Join(settings.Path)) },
		"no key":      func(h *fleetHost) error { return os.Remove(h.root.Join(settings.KeyPath)) },
		"a key for everyone": func(h *fleetHost) error {
			return os.Chmod(h.root.Join(settings.KeyPath), 0o644)
		},
		"no authorities": func(h *fleetHost) error { return os.Remove(h.root.Join(settings.CAPath)) },
	} {
		h := newFleetHost(t, offline)
		testroot.Must(t, spoil(h))
		h.denied("alice", sorry, "reason=config", "fleet")
		if asked := h.fleet.Asked(); len(asked) > 0 {
			t.Errorf("%s: got %d questions", name, len(asked))
		}
	}
}

func TestBreakGlassCodeLetsInOnceAndIsAnAlert(t *testing.T) {
	h := newFleetHost(t, offline)
	h.fleet.Stop()
	g := h.login("alice")
	g.expect(breakGlassPrompt)
	g.send("A" + h.codes[0])
	frames := g.ends()
	if want := []string{"EThat break-glass code is used up; 9 are left on this host.",
		"V2 allow"}; !slices.Equal(frames, want) {
		t.Errorf("got %q, want %q", frames, want)
	}
	h.wantLog(`<81>latchkey: verdict=allow user="alice"`, "method=recovery", "reason=offline")
	g = h.login("alice")
	g.expect(breakGlassPrompt)
	g.send("A" + h.codes[0])
	g.expect("QThat break-glass code was used before. Verification code: ")
	g.send("A" + testroot.Code(t, h.app, h.clock.read()))
	g.expect("QNot accepted. Type a break-glass code. Verification code: ")
	g.send("A" + testroot.Code(t, testroot.TOTP("old phone"), h.clock.read()))
	if frames := g.ends(); frames[len(frames)-1] != "V2 deny 11" {
		t.Errorf("got %q, want a denial", frames)
	}
	h.wantLog(`<84>latchkey: verdict=deny`, "reason=wrong")
}

func TestBreakGlassCodeIsNoneWhileTheFleetAnswers(t *testing.T) {
	h := newFleetHost(t, offline)
	g := h.login("alice")
	g.expect(codePrompt)
	g.send("A" + h.codes[0])
	g.expect("QNot accepted. From your app. Verification code: ")
	h.fleet.Stop()
	g.send("A" + h.codes[0])
	frames := g.ends()
	if want := []string{"E" + unreachable, "V2 deny 9"}; !slices.Equal(frames, want) {
		t.Errorf("got %q, want %q: the login began with the fleet", frames, want)
	}
	h.wantLog(`<84>latchkey: verdict=deny`, `reason=fleet tries=2`, `detail="(unreachable) `)
}

func TestBreakGlassNeedsCodesOfThisHost(t *testing.T) {
	for name, spoil := range map[string]func(h *fleetHost) error{
		"none were made": func(h *fleetHost) error {
			return os.RemoveAll(h.root.Join(breakglass.Path))
		},
		"they were revoked": func(h *fleetHost) error {
			return issue.Revoke(string(h.root), "alice")
		},
		"their state is gone": func(h *fleetHost) error {
			return os.Remove(h.root.Join(breakglass.Path + "/states/alice"))
		},
	} {
		h := newFleetHost(t, offline)
		h.fleet.Stop()
		testroot.Must(t, spoil(h))
		frames := h.login("alice").ends()
		if want := []string{"E" + unreachable, "V2 deny 9"}; !slices.Equal(frames, want) {
			t.Errorf("%s: got %q, want %q", name, frames, want)
		}
		h.wantLog("reason=fleet", `detail="(unreachable) `, "; break-glass: ")
	}
}

// One latchkey-fleet carries all questions of a login, and ends with it, also while the user types.
func TestLoginStartsOneHelperAndLeavesNone(t *testing.T) {
	h := newFleetHost(t, "")
	path := h.root.Join(dispatch.Program)
	testroot.Executable(t, path+".real", testroot.Read(t, path))
	h.root.Script(t, dispatch.Program, "exec env -i "+path+".real")
	g := h.login("alice")
	g.expect(codePrompt)
	g.send("A" + testroot.Code(t, h.app, h.clock.read()))
	g.verdict("allow")
	h.root.Gone(t, 1)
	g = h.login("alice")
	g.expect(codePrompt)
	g.hangUp()
	g.exit(1)
	h.root.Gone(t, 2)
}

// A program in place of latchkey-fleet lets no one in, whatever it writes.
func TestNoProgramInPlaceOfTheHelperLetsAnyoneIn(t *testing.T) {
	h := newFleetHost(t, "")
	real := h.root.Join(dispatch.Program)
	kept := string(testroot.Read(t, real))
	testroot.Executable(t, real+".real", []byte(kept))
	notes := h.root.Join("notes")
	testroot.Must(t, os.Mkdir(notes, 0o777))
	testroot.Must(t, os.Chmod(notes, 0o777))
	script := func(text string) []byte { return []byte("#!/bin/sh\n" + text + "\n") }
	// The answers to a good login are noted, and then shown to every other question.
	standin.Program(t, h.root, script(fmt.Sprintf("exec %s.real | tee %s/all", real, notes)))
	g := h.login("alice")
	g.expect(codePrompt)
	g.send("A" + testroot.Code(t, h.app, h.clock.read()))
	g.verdict("allow")
	h.wantLog("reason=ok")
	for name, text := range map[string]string{
		"ok":                 "read -r job; echo ok",
		"exit":               "exit 0",
		"an answer in clear": `read -r job; echo '{"body":"eyJSZXN1bHQiOiJhY2NlcHRlZCJ9"}'`,
		"the old beginning":  "read -r job; head -n 1 " + notes + "/all; cat",
		"the old acceptance": "read -r job; tail -n 1 " + notes + "/all; cat",
		"the question":       `printf '{"body":"%s"}\n' "$(head -n 1 | sed 's/.*"request":"//; s/".*//')"`,
	} {
		standin.Program(t, h.root, script(text))
		frames := h.login("alice").ends()
		if want := []string{"E" + maybeUsed, "V2 deny 9"}; !slices.Equal(frames, want) {
			t.Errorf("%s: got %q, want %q", name, frames, want)
		}
		h.wantLog("reason=fleet")
	}
}

// FAULTS of a service whose kernel still answers: nothing can be known of it, so no glass breaks.
func TestFrozenFleetDeniesBeforeTheGateDoes(t *testing.T) {
	t.Parallel()
	h := newFleetHost(t, offline)
	stuck := make(chan struct{})
	h.fleet.Before(func(http.ResponseWriter) bool { <-stuck; return true })
	t.Cleanup(func() { close(stuck) })
	h.denied("alice", maybeUsed, `detail="(unknown) `)
}
