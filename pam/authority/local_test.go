package authority_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

const (
	number = "+15550001234"
	sid    = "VE0123456789abcdef0123456789abcdef"
)

var alice = record.User{Name: "alice", UID: 1000}

// service is an authority over a folder, and a Twilio that sends and approves everything.
type service struct {
	authority.Local
	root              testroot.Root
	app, phone, token record.Device
	now               time.Time
	asked             []string
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{root: testroot.New(t), now: testroot.Noon, app: testroot.TOTP("app"),
		phone: enrollment.NewPhone("mobile", number, testroot.Noon),
		token: enrollment.NewHOTP("token", []byte("12345678901234567890"), "SHA1", 6,
			testroot.Noon)}
	for _, d := range []record.Device{s.app, s.phone, s.token} {
		testroot.Must(t, s.root.Store().Add(enrollment.ByRoot(), alice, d, 0))
	}
	s.Local = authority.Local{Keyring: s.root.Keyring(), Verifier: s,
		Clock: func() time.Time { return s.now }}
	return s
}

func (s *service) Ready() error { return nil }

func (s *service) Send(to string, by method.Method, _ string) protocol.Answer {
	s.asked = append(s.asked, string(by)+" "+to)
	return protocol.Answer{Version: protocol.Version, Result: protocol.Sent, SID: sid}
}

func (s *service) Check(to, _, code string) protocol.Answer {
	s.asked = append(s.asked, "check "+to)
	return protocol.Answer{Version: protocol.Version, Result: protocol.Approved, SID: sid}
}

// login is alice's under a policy that allows everything.
func login() authority.Login {
	return authority.Login{
		User: alice, Service: "sshd", From: netip.MustParseAddr("192.0.2.7"),
		Methods: method.All(),
		Limits: limit.Guesses{Failures: limit.Rate{Count: 10, Window: 10 * time.Minute},
			Lock: 15 * time.Minute},
		Trust: policy.Trust{Days: 30, Bind: []policy.Bind{policy.BindAddress}},
		Terms: "some",
	}
}

// wish is hers for a code.
func (s *service) wish() authority.Send {
	hourly := limit.Rate{Count: 5, Window: time.Hour}
	return authority.Send{Login: login(), To: s.phone.ID, Channel: method.SMS,
		Phone: policy.Phone{Sends: limit.Sends{User: hourly, Host: hourly}}}
}

func TestNoAnswerHoldsASecret(t *testing.T) {
	s := newService(t)
	_, recovery, err := enrollment.NewRecovery()
	testroot.Must(t, err)
	testroot.Must(t, s.root.Store().SetRecovery(enrollment.ByRoot(), alice, recovery))
	var answers []any
	answer := func(a any, err error) {
		testroot.Must(t, err)
		answers = append(answers, a)
	}
	begun, err := s.Begin(login())
	answer(begun, err)
	answer(s.Local.Send(s.wish()))
	answer(s.Begin(login())) // a code waits
	guess := authority.Guess{Login: login(), Channels: begun.Choices.Channels}
	for _, code := range []string{"755224", "755224", "123456", "12345678"} {
		guess.Code = code
		answer(s.Guess(guess))
	}
	answer(s.Codes(alice))
	if len(s.asked) != 2 || begun.Result != authority.Ask || len(begun.Choices.Phones) != 1 {
		t.Fatalf("got %+v, and Twilio was asked %q", begun, s.asked)
	}
	said, err := json.Marshal(answers)
	testroot.Must(t, err)
	if !strings.Contains(string(said), "...1234") {
		t.Errorf("got no hint to the phone: %s", said)
	}
	for _, d := range []record.Device{s.app, s.phone, s.token} {
		secret, err := json.Marshal(d.Secret)
		testroot.Must(t, err)
		for _, form := range []string{string(d.Secret), strings.Trim(string(secret), `"`)} {
			if strings.Contains(string(said), form) {
				t.Errorf("got the secret of %q: %s", d.Label, said)
			}
		}
	}
	if strings.Contains(string(said), number[2:8]) {
		t.Errorf("got more of the number than its end: %s", said)
	}
}

// A host that was stolen may ask for anything.
func TestCodesAreSentToPhonesOnlyByMethodsThatSend(t *testing.T) {
	for name, ask := range map[string]func(s *service, w *authority.Send){
		"to an app":             func(s *service, w *authority.Send) { w.To = s.app.ID },
		"to a token":            func(s *service, w *authority.Send) { w.To = s.token.ID },
		"to no device":          func(_ *service, w *authority.Send) { w.To = [8]byte{1} },
		"as an app's":           func(_ *service, w *authority.Send) { w.Channel = method.TOTP },
		"by no channel":         func(_ *service, w *authority.Send) { w.Channel = "" },
		"where none is allowed": func(_ *service, w *authority.Send) { w.Methods = nil },
		"to a number the host's prefixes leave out": func(_ *service, w *authority.Send) {
			w.Phone.Prefixes = []string{"+44"}
		},
		"to a number the fleet's prefixes leave out": func(s *service, _ *authority.Send) {
			s.Policy.Phone.Prefixes = []string{"+44"}
		},
		"where the fleet allows calls": func(s *service, _ *authority.Send) {
			s.Policy.Phone.Methods = []method.Method{method.Call}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newService(t)
			s.Policy = fleet(t)
			wish := s.wish()
			ask(s, &wish)
			sent, err := s.Local.Send(wish)
			if sent.OK || len(s.asked) > 0 || err == nil && sent.Because == "" {
				t.Errorf("got %+v and %v, and Twilio was asked %q", sent, err, s.asked)
			}
			if again, err := s.Local.Send(newService(t).wish()); again.OK {
				t.Errorf("got %+v and %v for another user's phone", again, err)
			}
		})
	}
	s := newService(t)
	s.Policy = fleet(t)
	if sent, err := s.Local.Send(s.wish()); !sent.OK || err != nil ||
		strings.Join(s.asked, " ") != "sms "+number {
		t.Errorf("got %+v and %v, and Twilio was asked %q", sent, err, s.asked)
	}
}

func TestFleetsLimitOfSendsHoldsWhereTheHostsIsHigher(t *testing.T) {
	s := newService(t)
	s.Policy = fleet(t)
	s.Policy.Phone.Sends.User.Count = 2
	for i, want := range []bool{true, true, false} {
		sent, err := s.Local.Send(s.wish())
		if err != nil || sent.OK != want || (sent.Wait > 0) == want {
			t.Errorf("send %d: got %+v, %v; want it sent: %v", i+1, sent, err, want)
		}
		s.now = s.now.Add(5 * time.Minute)
	}
}

// fleet is a policy with nothing but defaults, and trust.
func fleet(t *testing.T) *policy.Policy {
	t.Helper()
	p, err := policy.Parse("latchkey.toml", []byte("[trust]\ndays = 30\nbind = ['address']\n"))
	testroot.Must(t, err)
	return p
}

func TestLoginIsUnderTheStricterOfTwoPolicies(t *testing.T) {
	host := login()
	host.Limits.Failures.Count, host.Limits.Lock = 3, time.Minute
	p := fleet(t)
	p.RequireAttestation, p.Phone.Methods, p.Trust.Days = true, nil, 7
	got := authority.Stricter(host, p)
	if got.Limits.Failures != (limit.Rate{Count: 3, Window: 10 * time.Minute}) ||
		got.Limits.Lock != 15*time.Minute || got.Limits.Consecutive != 100 {
		t.Errorf("got the limits %+v", got.Limits)
	}
	for _, m := range got.Methods {
		if m.Sent() {
			t.Errorf("got the method %s, which the fleet's policy switches off", m)
		}
	}
	if !got.OnlyAttested || got.Trust.Days != 7 || got.Terms == host.Terms {
		t.Errorf("got %+v", got)
	}
	if got := authority.Stricter(host, fleet(t)); got.Terms != host.Terms ||
		got.Trust.Days != 30 || got.OnlyAttested {
		t.Errorf("got %+v where both say the same", got)
	}
	p.Trust.Days = 0
	if got := authority.Stricter(host, p); got.Trust.Days != 0 || got.Computer().Known() {
		t.Errorf("got trust for %+v where the fleet's policy has none", got.Trust)
	}
}

func TestFleetsLimitLocksWhereTheHostsWouldNot(t *testing.T) {
	s := newService(t)
	s.Policy = fleet(t)
	s.Policy.Limits.Failures.Count = 2
	guess := authority.Guess{Login: login()}
	for i, code := range testroot.WrongCodes(t, 3, s.now, s.app) {
		guess.Code = code
		g, err := s.Guess(guess)
		testroot.Must(t, err)
		if locked := g.Lockout.Locked(); locked != (i > 0) || i == 2 && g.Result != authority.Locked {
			t.Errorf("guess %d: got %+v", i+1, g)
		}
	}
}

// trusts reports whether alice is let in without a code.
func (s *service) trusts(t *testing.T, l authority.Login) bool {
	t.Helper()
	b, err := s.Begin(l)
	testroot.Must(t, err)
	if b.Result != authority.Ask && (b.Result != authority.Accepted || b.Method != method.Trust) {
		t.Errorf("got %+v", b)
	}
	return b.Result == authority.Accepted
}

func TestComputerIsTrustedOnTheHostWhereItWasTrusted(t *testing.T) {
	s := newService(t)
	at := func(host string) authority.Login {
		l := login()
		l.Host = host
		return l
	}
	begun, err := s.Begin(at("web1"))
	testroot.Must(t, err)
	testroot.Must(t, s.Local.Trust(authority.Trust{Login: at("web1"),
		Enrollment: begun.Enrollment, Device: s.app.ID}))
	for host, want := range map[string]bool{"web1": true, "web2": false, "": false} {
		if got := s.trusts(t, at(host)); got != want {
			t.Errorf("on %q: got trusted: %v, want %v", host, got, want)
		}
	}
	testroot.Must(t, s.Forget(alice))
	if s.trusts(t, at("web1")) {
		t.Error("got a computer that is trusted after all trust was ended")
	}
}

func TestComputerIsTrustedOnlyIfTheFleetAllowsItToo(t *testing.T) {
	s := newService(t)
	begun, err := s.Begin(login())
	testroot.Must(t, err)
	wish := authority.Trust{Login: login(), Enrollment: begun.Enrollment, Device: s.app.ID}
	for _, days := range []int{0, 30} {
		s.Policy = fleet(t)
		s.Policy.Trust.Days = days
		if crowded := s.Crowded(login()); crowded != (days == 0) {
			t.Errorf("%d days: got crowded: %v", days, crowded)
		}
		if err := s.Local.Trust(wish); (err == nil) != (days > 0) {
			t.Errorf("%d days: got %v", days, err)
		}
		if got := s.trusts(t, login()); got != (days > 0) {
			t.Errorf("%d days: got trusted: %v", days, got)
		}
	}
	s.Policy.Trust.Days = 7 // what was given for 30 days means nothing under this
	if s.trusts(t, login()) {
		t.Error("got a computer that is trusted under another policy than it was given under")
	}
}

func TestRehearsalByTrustChangesNothing(t *testing.T) {
	s := newService(t)
	begun, err := s.Begin(login())
	testroot.Must(t, err)
	testroot.Must(t, s.Local.Trust(authority.Trust{Login: login(), Enrollment: begun.Enrollment,
		Device: s.app.ID}))
	rehearsal := login()
	rehearsal.Rehearsal = true
	before := string(testroot.Read(t, s.root.State("alice")))
	if !s.trusts(t, rehearsal) || string(testroot.Read(t, s.root.State("alice"))) != before {
		t.Error("got a rehearsal that is not let in, or is kept")
	}
	if !s.trusts(t, login()) || string(testroot.Read(t, s.root.State("alice"))) == before {
		t.Error("got a login that is not let in, or is not kept")
	}
}

func TestComputerThatCannotBeRecognizedIsCrowdedAndIsNotTrusted(t *testing.T) {
	s := newService(t)
	begun, err := s.Begin(login())
	testroot.Must(t, err)
	if s.Crowded(login()) {
		t.Error("got that an address is crowded that no one trusts")
	}
	for name, change := range map[string]func(*authority.Login){
		"by a key that is not there": func(l *authority.Login) {
			l.Trust.Bind = []policy.Bind{policy.BindKey}
		},
		"from nowhere":        func(l *authority.Login) { l.From = netip.Addr{} },
		"by nothing":          func(l *authority.Login) { l.Trust.Bind = nil },
		"where there is none": func(l *authority.Login) { l.Trust.Days = 0 },
	} {
		l := login()
		change(&l)
		if !s.Crowded(l) {
			t.Errorf("%s: got that it is not crowded", name)
		}
		if err := s.Local.Trust(authority.Trust{Login: l, Enrollment: begun.Enrollment,
			Device: s.app.ID}); err == nil {
			t.Errorf("%s: got that it is trusted", name)
		}
	}
}

func TestKeyLetsInOnlyIfTheRuleAndTheFleetAllowIt(t *testing.T) {
	s := newService(t)
	d := testroot.SecurityKey(t, "yubikey")
	testroot.Must(t, s.root.Store().Add(enrollment.ByRoot(), alice, d, 0))
	key, err := sshkey.Parse(testroot.Line(t, d))
	testroot.Must(t, err)
	presents := login()
	presents.Keys = []sshkey.Key{key}
	without := presents
	without.Methods = []method.Method{method.TOTP}
	attested := fleet(t)
	attested.RequireAttestation = true
	for name, c := range map[string]struct {
		login authority.Login
		fleet *policy.Policy
		want  authority.Result
	}{
		"allowed":             {presents, nil, authority.Accepted},
		"in a fleet":          {presents, fleet(t), authority.Accepted},
		"not attested":        {presents, attested, authority.Ask},
		"not by the rule":     {without, nil, authority.Ask},
		"not shown to sshd":   {login(), nil, authority.Ask},
		"of a user not there": {authority.Login{Methods: method.All()}, nil, ""},
	} {
		s.Policy = c.fleet
		b, err := s.Begin(c.login)
		if b.Result != c.want || (err == nil) != (c.want != "") {
			t.Errorf("%s: got %q and %v, want %q", name, b.Result, err, c.want)
		}
	}
}

// The service commits each step by itself, so a guess that Twilio never answers stays charged.
func TestGuessIsChargedBetweenItsSteps(t *testing.T) {
	s := newService(t)
	if sent, err := s.Local.Send(s.wish()); err != nil || !sent.OK {
		t.Fatalf("got %+v, %v", sent, err)
	}
	guess := authority.Guess{Login: login(), Code: "987654",
		Channels: []method.Method{method.SMS}}
	failures := func() int {
		st, err := s.Keyring.States.View("alice")
		testroot.Must(t, err)
		return len(st.Failures)
	}
	c, err := s.Compare(guess)
	testroot.Must(t, err)
	if !c.AsksTwilio() || c.Result == authority.Accepted || failures() != 1 {
		t.Fatalf("got %+v with %d failures, want one, and that Twilio is to be asked", c, failures())
	}
	g, err := s.Settle(c, c.Ask(s))
	testroot.Must(t, err)
	if g.Result != authority.Accepted || g.Method != method.SMS || g.Device.Label != "mobile" ||
		failures() != 0 {
		t.Errorf("got %+v with %d failures, want it accepted and none", g, failures())
	}
	if g, err = s.Settle(c, c.Ask(s)); err != nil || g.Result != authority.Replayed ||
		!g.Charged {
		t.Errorf("got %+v, %v for the same code in another login, want it charged", g, err)
	}
}
