package session

import (
	"errors"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
	"latchkey/sshd/poll"
)

// realHost is a host of a fleet of real services over a real etcd, which asks these ones first.
func realHost(t *testing.T, f *testfleet.Fleet, name, more string,
	first ...*service.Service) *host {
	t.Helper()
	h := newHost(t)
	joined := f.Host(t, name, hosts.Verify)
	opening, err := f.Secret.Opening()
	testroot.Must(t, err)
	known := settings.Settings{FleetKey: opening.Public(), VerifyKey: f.Keys(t),
		CA: string(f.Authority.PEM), Host: name, Key: joined.Key}
	for _, s := range append(first, f.Services...) {
		known.Services = append(known.Services, "https://"+s.Addr())
	}
	standin.Configure(t, h.root, known, more)
	return h
}

// The services' clocks count, so this test takes place now.
func TestLoginIsDecidedByTheServicesOfTheFleet(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 2)
	app := testroot.TOTP("phone")
	app.Period = time.Hour
	f.Enroll(t, "alice", app)
	a, b := realHost(t, f, "web1", ""), realHost(t, f, "web2", offline)
	a.clock.now, b.clock.now = time.Now(), time.Now()
	code := testroot.Code(t, app, time.Now())
	begun := func(h *host) *gate {
		g := h.begin(nil, nil)
		g.send(helloFrame(fields("alice")...))
		g.expect(codePrompt)
		return g
	}
	g := begun(a)
	g.send("A" + testroot.WrongCode(t, time.Now(), app))
	g.expect("QNot accepted. From your app. Verification code: ")
	g.send("A" + code)
	g.verdict("allow")
	a.wantLog(`method=totp device="phone" reason=ok tries=2`)

	f.Services[0].Stop()
	g = begun(b)
	g.send("A" + code)
	g.expect("QUsed before: wait for the next code. Verification code: ")

	testroot.Must(t, f.Admin.Revoke(testfleet.Context(t), "web2"))
	g.send("A" + testroot.WrongCode(t, time.Now(), app))
	g.expect("E" + notAllowed)
	g.send("A")
	g.verdict("deny 9")
	b.wantLog(`reason=fleet tries=2`, `detail="(revoked)`)

	f.Services[1].Stop()
	g = a.begin(nil, nil)
	g.send(helloFrame(fields("alice")...))
	frames := g.ends()
	if !strings.HasPrefix(frames[0], "E"+unreachable) || frames[1] != "V2 deny 9" {
		t.Errorf("got %q with every service stopped", frames)
	}
}

// ails starts a service, and waits until it refuses every question for a reason of its own, which
// ail gives it.
func ails(t *testing.T, f *testfleet.Fleet, name string,
	ail func(dir string)) *service.Service {
	t.Helper()
	dir := t.TempDir()
	s := f.Restart(t, name, dir)
	ail(dir)
	testroot.Must(t, poll.Until(name+" to refuse", time.Minute, func() error {
		if s.Refused() == nil {
			return errors.New("it answers")
		}
		return nil
	}))
	return s
}

// ofOne is in the log where services answered, and each refused for a reason of its own.
var ofOne = regexp.MustCompile(`reason=fleet.* detail="\((internal|clock)\)`)

// A clock or a disk that is wrong on the machine of one service is as if that were down. The
// services' clocks count, so this test takes place now.
func TestServiceThatRefusesForAReasonOfItsOwnKeepsNoOneOut(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 2)
	app := testroot.TOTP("phone")
	app.Period = time.Hour
	f.Enroll(t, "alice", app)
	f.Change = func(c *service.Config) {
		c.Store.Clock = func() time.Time { return time.Now().Add(time.Minute) }
	}
	fast := ails(t, f, "fast", func(string) {})
	f.Change = nil
	full := ails(t, f, "full", func(dir string) { // what it remembers cannot be written
		testroot.Must(t, os.Rename(dir, dir+".gone"))
	})
	a, b := realHost(t, f, "web1", "", full, fast), realHost(t, f, "web2", offline, fast, full)
	code := testroot.Code(t, app, time.Now())
	for _, h := range []*host{a, b} {
		h.clock.now = time.Now()
		g := h.begin(nil, nil)
		g.send(helloFrame(fields("alice")...))
		g.expect(codePrompt)
		g.send("A" + code)
		if h == a {
			g.verdict("allow")
		} else {
			g.expect("QUsed before: wait for the next code. Verification code: ")
		}
	}
	// Alone they deny, and do not break the glass.
	f.Services[0].Stop()
	f.Services[1].Stop()
	g := b.begin(nil, nil)
	g.send(helloFrame(fields("alice")...))
	if frames := g.ends(); frames[len(frames)-1] != "V2 deny 9" {
		t.Errorf("got %q with no service that answers", frames)
	}
	// On a slow machine either may answer first.
	if got := b.logged(); len(got) != 1 || !ofOne.MatchString(got[0]) {
		t.Errorf("logged %q, want one line that matches %s", got, ofOne)
	}
}
