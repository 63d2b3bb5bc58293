package session

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
)

// realHost is a host of a fleet of real services over a real etcd.
func realHost(t *testing.T, f *testfleet.Fleet, name, more string) *host {
	t.Helper()
	h := newHost(t)
	joined := f.Host(t, name, hosts.Verify)
	opening, err := f.Secret.Opening()
	testroot.Must(t, err)
	known := settings.Settings{FleetKey: opening.Public(), VerifyKey: f.Keys(t),
		CA: string(f.Authority.PEM), Host: name, Key: joined.Key}
	for _, s := range f.Services {
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
