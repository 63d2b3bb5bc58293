package remote_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

var (
	opening, _ = fleetkey.OpeningFrom([]byte(strings.Repeat("x", 32)))
	signing    = fleetkey.SigningFrom([32]byte{1})
	hostKey    = fleetkey.SigningFrom([32]byte{2})
	alice      = record.User{Name: "alice", UID: 1000}
)

// service is a fleet with one host, whose accounts are below a root of its own.
type service struct {
	t       *testing.T
	root    testroot.Root // the fleet's
	client  *remote.Client
	asked   []wire.Question
	sign    fleetkey.Signing
	answer  wire.Answer // what is in every answer
	instead []byte      // of any answer
	fault   error       // of the carrier, in place of any answer
}

func newService(t *testing.T) *service {
	t.Helper()
	s := &service{t: t, root: testroot.New(t), sign: signing, answer: wire.Answer{Epoch: 3}}
	s.client = &remote.Client{
		Settings: &settings.Settings{Services: []string{"https://mfa1"}, Host: "web1",
			FleetKey: opening.Public(), VerifyKey: []fleetkey.Public{signing.Public()}, Key: hostKey},
		Open: func(*settings.Settings) {}, Carry: s.carry, Service: "sshd",
		Clock: func() time.Time { return testroot.Noon },
		Epoch: remote.Epoch{Root: string(testroot.New(t))},
	}
	return s
}

func (s *service) carry(_ *settings.Settings, request []byte, good func([]byte) bool) error {
	if s.fault != nil {
		return s.fault
	}
	opened, err := wire.Open(request, opening)
	testroot.Must(s.t, err)
	q, err := opened.Prove(hostKey.Public())
	testroot.Must(s.t, err)
	s.asked = append(s.asked, q)
	body := s.instead
	if body == nil {
		body, err = opened.Answer(s.say(q), s.sign)
		testroot.Must(s.t, err)
	}
	if good(body) {
		return nil
	}
	return wire.Errorf(wire.Unknown, "no other answer")
}

// say answers a question as a service does: by an authority that has the accounts.
func (s *service) say(q wire.Question) wire.Answer {
	a := s.answer
	if a.Fault != wire.Done || a.Body != nil {
		return a
	}
	body, err := operate(&authority.Local{Keyring: s.root.Keyring(), Clock: s.client.Clock}, q)
	text, encoding := json.Marshal(body)
	testroot.Must(s.t, encoding)
	a.Body = text
	if err != nil {
		a.Fault, a.Text = wire.Fault(authority.FaultOf(err)), err.Error()
	}
	return a
}

func operate(l *authority.Local, q wire.Question) (any, error) {
	var login authority.Login
	var guess authority.Guess
	json.Unmarshal(q.Body, &login)
	json.Unmarshal(q.Body, &guess)
	switch q.Op {
	case "begin":
		return l.Begin(login)
	case "guess":
		return l.Guess(guess)
	case "crowded":
		return l.Crowded(login), nil
	case "codes":
		return l.Codes(record.User{Name: q.User, UID: q.UID})
	case "forget":
		return nil, l.Forget(record.User{Name: q.User, UID: q.UID})
	}
	return nil, errors.New("unknown operation")
}

func login() authority.Login {
	return authority.Login{User: alice, Service: "sshd", Methods: method.All(),
		Limits: limit.Guesses{Failures: limit.Rate{Count: 10, Window: 10 * time.Minute},
			Lock: 15 * time.Minute}}
}

func TestFleetAnswersAsItsOwnAuthorityDoes(t *testing.T) {
	s := newService(t)
	app := testroot.TOTP("phone")
	s.root.Enroll(t, "alice", alice.UID, app)
	a := remote.Authority{Client: s.client}
	b, err := a.Begin(login())
	if err != nil || b.Result != authority.Ask || !b.Choices.App {
		t.Fatalf("got %+v, %v", b, err)
	}
	code := testroot.Code(t, app, testroot.Noon)
	for _, want := range []authority.Result{authority.Accepted, authority.Replayed} {
		g, err := a.Guess(authority.Guess{Login: login(), Code: code})
		if err != nil || g.Result != want || g.Device.Label != "phone" {
			t.Errorf("got %+v, %v; want %s", g, err, want)
		}
	}
	if c, err := a.Codes(alice); err != nil || len(c.Digits) != 1 {
		t.Errorf("got %+v, %v", c, err)
	}
	if err := a.Forget(alice); err != nil {
		t.Errorf("got %v", err)
	}
	q := s.asked[0]
	if q.User != "alice" || q.UID != 1000 || q.Service != "sshd" || q.Host != "web1" ||
		!q.At.Equal(testroot.Noon) || q.Token == s.asked[1].Token {
		t.Errorf("got %+v", q)
	}
}

// Every fault of an account is the same error to a login as on a single host.
func TestFaultsOfAnAccountAreItsErrors(t *testing.T) {
	s := newService(t)
	a := remote.Authority{Client: s.client}
	if _, err := a.Begin(login()); !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("got %v, want ErrUnenrolled", err)
	}
	for fault, want := range map[wire.Fault]error{
		"record": factor.ErrRecord, "state": factor.ErrState, "save": state.ErrSave,
	} {
		s.answer.Fault, s.answer.Text = fault, "why"
		_, err := a.Begin(login())
		if !errors.Is(err, want) || err.Error() != "why" || errors.As(err, new(*wire.Error)) {
			t.Errorf("%s: got %v, want %v", fault, err, want)
		}
	}
}

func TestFaultsOfTheFleetLetNoOneIn(t *testing.T) {
	accepted := json.RawMessage(`{"Result":"accepted","OK":true}`)
	for _, fault := range []wire.Fault{wire.Revoked, wire.Quarantine, wire.Role, wire.Unknown,
		wire.Protocol, wire.Clock, wire.Rollback, wire.Quota, wire.Epoch, wire.Internal,
		"a fault of a later version", "unreachable", "forged", "state"} {
		s := newService(t)
		s.answer = wire.Answer{Epoch: 1, Fault: fault, Text: "why", Body: accepted}
		all(t, s, string(fault))
	}
}

// all asks everything, and wants nothing of it done.
func all(t *testing.T, s *service, name string) (errs []error) {
	t.Helper()
	a := remote.Authority{Client: s.client}
	b, err1 := a.Begin(login())
	g, err2 := a.Guess(authority.Guess{Login: login(), Code: "123456"})
	sent, err3 := a.Send(authority.Send{Login: login()})
	c, err4 := a.Codes(alice)
	errs = []error{err1, err2, err3, err4, a.Trust(authority.Trust{Login: login()}), a.Forget(alice)}
	for i, err := range errs {
		if err == nil {
			t.Errorf("%s: question %d: got no error", name, i)
		}
	}
	if b.Result != "" || g.Result != "" || sent.OK || len(c.Digits) > 0 || !a.Crowded(login()) {
		t.Errorf("%s: got %+v, %+v, %+v, %+v", name, b, g, sent, c)
	}
	return errs
}

func TestAnswersThatCannotBeBelievedLetNoOneIn(t *testing.T) {
	accepted := json.RawMessage(`{"Result":"accepted","OK":true}`)
	for name, c := range map[string]struct {
		spoil func(s *service)
		want  wire.Fault
	}{
		"another key": {func(s *service) { s.sign = fleetkey.NewSigning() }, wire.Forged},
		"the host's":  {func(s *service) { s.sign = hostKey }, wire.Forged},
		"no signature": {func(s *service) { s.instead = []byte(`{"fault":"","epoch":3}`) },
			wire.Forged},
		"an older epoch": {func(s *service) {
			testroot.Must(t, s.client.Epoch.Check(4))
		}, wire.Epoch},
		"no epoch file that can be read": {func(s *service) {
			damage(t, s, "latchkey-fleet-epoch-1 x\n")
		}, wire.Epoch},
		"an unreachable fleet": {func(s *service) {
			s.fault = wire.Errorf(wire.Unreachable, "x")
		}, wire.Unreachable},
		"a lost answer": {func(s *service) { s.fault = wire.Errorf(wire.Unknown, "x") },
			wire.Unknown},
	} {
		s := newService(t)
		s.answer.Body = accepted
		c.spoil(s)
		for i, err := range all(t, s, name) {
			if got := wire.FaultOf(err); got != c.want {
				t.Errorf("%s: question %d: got %v, want %s", name, i, err, c.want)
			}
		}
	}
}

// What is wrong with one service's machine is told if nothing is known of the others, and never
// taken for a fleet that cannot be reached.
func TestFaultOfOneServiceDoesNotHideThatAnotherMayHaveDoneIt(t *testing.T) {
	for _, own := range []wire.Fault{wire.Clock, wire.Internal} {
		for others, want := range map[wire.Fault]wire.Fault{wire.Unknown: wire.Unknown,
			wire.Protocol: own, wire.Unreachable: own} {
			s := newService(t)
			s.answer = wire.Answer{Epoch: 1, Fault: own, Body: json.RawMessage(`{}`)}
			s.client.Carry = func(k *settings.Settings, request []byte,
				good func([]byte) bool) error {
				if s.carry(k, request, good) == nil {
					t.Errorf("%s: it counts as the fleet's answer", own)
				}
				return wire.Errorf(others, "the others")
			}
			err := s.client.Ask("guess", alice, nil, nil)
			if got := wire.FaultOf(err); err == nil || got != want {
				t.Errorf("%s, and the others are %s: got %v, want %s", own, others, err, want)
			}
		}
	}
}

func damage(t *testing.T, s *service, text string) {
	t.Helper()
	testroot.Write(t, s.client.Epoch.Root+remote.EpochPath, []byte(text))
}

func TestHighestEpochIsRemembered(t *testing.T) {
	e := remote.Epoch{Root: string(testroot.New(t))}
	for _, c := range []struct {
		epoch uint64
		ok    bool
	}{{1, true}, {1, true}, {7, true}, {6, false}, {7, true}, {0, false}, {1 << 63, true},
		{7, false}, {1<<63 - 1, false}, {1 << 63, true}} {
		if err := e.Check(c.epoch); (err == nil) != c.ok ||
			err != nil && wire.FaultOf(err) != wire.Epoch {
			t.Errorf("%d: got %v, want %v", c.epoch, err, c.ok)
		}
	}
	st, err := os.Stat(e.Root + remote.EpochPath)
	if err != nil || st.Mode().Perm() != 0o600 {
		t.Errorf("got mode %v, %v", st.Mode(), err)
	}
}

func TestDamagedEpochRefusesEverything(t *testing.T) {
	for _, text := range []string{"", "x", "latchkey-fleet-epoch-1 ", "latchkey-fleet-epoch-1 1",
		"latchkey-fleet-epoch-1 -1\n", "latchkey-fleet-epoch-1 01\n", "latchkey-fleet-epoch-2 1\n",
		"latchkey-fleet-epoch-1 1\n\n", strings.Repeat("9", 100)} {
		e := remote.Epoch{Root: string(testroot.New(t))}
		testroot.Write(t, e.Root+remote.EpochPath, []byte(text))
		if err := e.Check(1 << 40); wire.FaultOf(err) != wire.Epoch || err == nil {
			t.Errorf("%q: got %v", text, err)
		}
	}
	e := remote.Epoch{Root: string(testroot.New(t))}
	testroot.Write(t, e.Root+remote.EpochPath, []byte("latchkey-fleet-epoch-1 1\n"))
	testroot.Must(t, os.Chmod(e.Root+remote.EpochPath, 0o666))
	if err := e.Check(1); err == nil {
		t.Error("got an epoch from a file that others can write")
	}
}

func TestAnswerThatMakesNoSenseIsAgainstTheProtocol(t *testing.T) {
	for _, body := range []string{`"x"`, `[]`, `{"Result":1}`, `7`} {
		s := newService(t)
		s.answer.Body = []byte(body)
		b, err := remote.Authority{Client: s.client}.Begin(login())
		if wire.FaultOf(err) != wire.Protocol || b.Result != "" {
			t.Errorf("%s: got %+v, %v", body, b, err)
		}
	}
}

func TestOperationOfACommandNeedsItsAnswer(t *testing.T) {
	s := newService(t)
	s.answer.Body = []byte(`{"x":1}`)
	var got struct{ X int }
	if err := s.client.Ask("enroll.view", alice, nil, &got); err != nil || got.X != 1 {
		t.Errorf("got %+v, %v", got, err)
	}
	s.answer.Body, s.answer.Fault = nil, "gone"
	if err := s.client.Ask("enroll.view", alice, nil, &got); wire.FaultOf(err) != "gone" {
		t.Errorf("got %v", err)
	}
	s.client.Settings.Host = ""
	if err := s.client.Ask("x", alice, nil, nil); wire.FaultOf(err) != wire.Internal {
		t.Errorf("got %v", err)
	}
	s.client.Settings.Host = "web1"
	if err := s.client.Ask("x", alice, fmt.Sprint, nil); wire.FaultOf(err) != wire.Internal {
		t.Errorf("got %v", err)
	}
}
