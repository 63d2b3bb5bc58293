package service_test

import (
	"bytes"
	"encoding/json"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

// twilio approves one code, when it is told to go on.
type twilio struct {
	sends, checks atomic.Int32
	code          string
	goOn          chan struct{}
}

func (*twilio) Ready() error { return nil }

func (w *twilio) Send(string, method.Method, string) protocol.Answer {
	w.sends.Add(1)
	return protocol.Answer{Version: protocol.Version, Result: protocol.Sent, SID: "VE1"}
}

func (w *twilio) Check(_, sid, code string) protocol.Answer {
	w.checks.Add(1)
	<-w.goOn
	a := protocol.Answer{Version: protocol.Version, Result: protocol.Wrong, SID: sid}
	if code == w.code {
		a.Result = protocol.Approved
	}
	return a
}

var mobile = record.Device{ID: state.DeviceID{4}, Type: method.Phone, Label: "mobile",
	Created: testroot.Noon.Truncate(time.Second), Secret: []byte("+15551234567")}

// newPhoneSite is a fleet with dora, who has a phone that a code was sent to.
func newPhoneSite(t *testing.T, change ...func(*testfleet.Fleet)) (*site, *twilio) {
	t.Helper()
	w := &twilio{code: "135246", goOn: make(chan struct{})}
	change = append(change, func(f *testfleet.Fleet) {
		f.Verifier = func() authority.Verifier { return w }
	})
	s := newSite(t, 2, change...)
	s.Enroll(t, "dora", mobile)
	if got := s.send("dora"); !got.OK || w.sends.Load() != 1 {
		t.Fatalf("a code for dora: got %+v", got)
	}
	return s, w
}

func (s *site) send(user string) (got authority.Sent) {
	s.Helper()
	_, guess := testfleet.Guess(user, "")
	phone := policy.Phone{Methods: []method.Method{method.SMS}, Sends: limit.Sends{
		User: limit.Rate{Count: 5, Window: time.Hour}, Host: limit.Rate{Count: 100, Window: time.Hour}}}
	a := s.web1.Must(s, wire.Question{Op: "send", User: user}, authority.Send{Login: guess.Login,
		To: mobile.ID, Channel: method.SMS, Phone: phone})
	if a.Fault != wire.Done {
		s.Fatalf("send: got %s: %s", a.Fault, a.Text)
	}
	testroot.Must(s, json.Unmarshal(a.Body, &got))
	return got
}

func (s *site) sealSent(user, code string) *wire.Sealed {
	q, body := testfleet.Guess(user, code)
	body.Channels = []method.Method{method.SMS}
	return s.web1.Seal(s, q, body)
}

func TestCodeThatWasSentIsCheckedOnceAlsoIfTwoServicesAreAsked(t *testing.T) {
	s, w := newPhoneSite(t)
	sealed := s.sealSent("dora", w.code)
	answers := []chan wire.Answer{s.asks(s.web1, 0, sealed)}
	s.until("a check", func() bool { return w.checks.Load() > 0 })
	// the next service, because the first has not answered yet, and that one again
	answers = append(answers, s.asks(s.web1, 1, sealed), s.asks(s.web1, 0, sealed))
	w.goOn <- struct{}{}
	for _, answer := range answers {
		a := <-answer
		if a.Fault != wire.Done || testfleet.Guessed(t, a).Result != authority.Accepted {
			t.Errorf("got %s %s, want accepted", a.Fault, a.Body)
		}
	}
	if w.checks.Load() != 1 {
		t.Errorf("got %d checks, want 1", w.checks.Load())
	}
	close(w.goOn)
	a := s.again(s.web1, 1, s.sealSent("dora", w.code))
	if g := testfleet.Guessed(t, a); g.Result == authority.Accepted {
		t.Errorf("in another login: got %+v", g)
	}
}

func TestRightCodesThatWereSentDoNotCountAgainstTheHostAndWrongOnesDo(t *testing.T) {
	s, w := newPhoneSite(t, func(f *testfleet.Fleet) {
		f.Limits = hosts.Limits{Failures: limit.Rate{Count: 2, Window: time.Hour}, Users: 100,
			Lasts: time.Hour}
	})
	close(w.goOn)
	if g := testfleet.Guessed(t, s.again(s.web1, 0, s.sealSent("dora", w.code))); g.Result !=
		authority.Accepted {
		t.Errorf("got %+v", g)
	}
	s.result(s.web1, "alice", s.wrong(1)[0], authority.Wrong)
	s.result(s.web1, "alice", s.code(), authority.Accepted)
	s.result(s.web1, "alice", s.wrong(2)[1], authority.Wrong)
	s.refused(s.web1, "alice", s.code(), wire.Quarantine)
}

func TestWrongCodesThatWereSentCountAgainstTheHost(t *testing.T) {
	s, w := newPhoneSite(t, func(f *testfleet.Fleet) {
		f.Limits = hosts.Limits{Failures: limit.Rate{Count: 2, Window: time.Hour}, Users: 100,
			Lasts: time.Hour}
	})
	close(w.goOn)
	bastion := s.Host(t, "bastion", hosts.Enroll)
	judged := func(code string) wire.Answer {
		return bastion.Must(t, wire.Question{Op: "enroll.judge", User: "dora", Service: "enroll"},
			map[string]any{"phone": mobile.ID, "code": code})
	}
	for _, code := range []string{"000000", "000001"} {
		if a := s.again(s.web1, 0, s.sealSent("dora", code)); a.Fault != wire.Done {
			t.Errorf("at a login: got %q (%s), want it compared", a.Fault, a.Text)
		}
		if a := judged(code); a.Fault != wire.Done {
			t.Errorf("at enroll: got %q (%s), want it compared", a.Fault, a.Text)
		}
	}
	s.refused(s.web1, "alice", s.code(), wire.Quarantine)
	if a := judged("000002"); a.Fault != wire.Quarantine {
		t.Errorf("at enroll: got %q (%s), want quarantine", a.Fault, a.Text)
	}
}

// Twilio takes a second, and in the morning many log in to one host.
func TestRightCodesThatWereSentDoNotCountAgainstTheHostWhileTwilioIsAskedEither(t *testing.T) {
	s, w := newPhoneSite(t, func(f *testfleet.Fleet) {
		f.Limits = hosts.Limits{Failures: limit.Rate{Count: 100, Window: time.Hour}, Users: 3,
			Lasts: time.Hour}
	})
	var answers []chan wire.Answer
	for n, user := range []string{"dora", "emil", "fred", "gina"} {
		if n > 0 {
			s.Enroll(t, user, mobile)
			s.send(user)
		}
		answers = append(answers, s.asks(s.web1, n%2, s.sealSent(user, w.code)))
	}
	s.until("all checks", func() bool { return int(w.checks.Load()) == len(answers) })
	s.result(s.web1, "alice", s.wrong(1)[0], authority.Wrong)
	close(w.goOn)
	for n, answer := range answers {
		if a := <-answer; a.Fault != wire.Done ||
			testfleet.Guessed(t, a).Result != authority.Accepted {
			t.Errorf("user %d: got %q (%s) %s, want accepted", n, a.Fault, a.Text, a.Body)
		}
	}
	s.result(s.web1, "alice", s.code(), authority.Accepted)
	// alice, bob and hana are three users with wrong codes
	s.Enroll(t, "bob", phone)
	s.result(s.web1, "bob", s.wrong(1)[0], authority.Wrong)
	s.Enroll(t, "hana", mobile)
	s.send("hana")
	s.again(s.web1, 0, s.sealSent("hana", "000000"))
	s.refused(s.web1, "alice", s.code(), wire.Quarantine)
}

// What Twilio has approved must not be lost because it took its time.
func TestSlowTwilioDoesNotMakeAQuestionTooOld(t *testing.T) {
	clock := &hands{}
	s, w := newPhoneSite(t, func(f *testfleet.Fleet) { f.Clock = clock.on(f.Clock) })
	q, body := testfleet.Guess("dora", w.code)
	body.Channels, q.At = []method.Method{method.SMS}, s.Clock().Add(-25*time.Second)
	sealed := s.web1.Seal(t, q, body)
	answer := s.asks(s.web1, 0, sealed)
	s.until("a check", func() bool { return w.checks.Load() > 0 })
	clock.advance(7 * time.Second)
	close(w.goOn)
	if a := <-answer; a.Fault != wire.Done ||
		testfleet.Guessed(t, a).Result != authority.Accepted {
		t.Errorf("got %q (%s) %s, want accepted", a.Fault, a.Text, a.Body)
	}
}

func TestSlowTwilioDoesNotMakeAQuestionOfEnrollTooOldEither(t *testing.T) {
	clock := &hands{}
	s, w := newPhoneSite(t, func(f *testfleet.Fleet) { f.Clock = clock.on(f.Clock) })
	bastion := s.Host(t, "bastion", hosts.Enroll)
	sealed := bastion.Seal(t, wire.Question{Op: "enroll.judge", User: "dora", Service: "enroll",
		At: s.Clock().Add(-25 * time.Second)}, map[string]any{"phone": mobile.ID, "code": w.code})
	answer := s.asks(bastion, 0, sealed)
	s.until("a check", func() bool { return w.checks.Load() > 0 })
	clock.advance(9 * time.Second)
	close(w.goOn)
	if a := <-answer; a.Fault != wire.Done || !bytes.Contains(a.Body, []byte(`"sealed"`)) {
		t.Errorf("got %q (%s) %s, want a proof", a.Fault, a.Text, a.Body)
	}
}
