package service_test

import (
	"bytes"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/moving"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// again sends the same bytes to a service.
func (s *site) again(h *testfleet.Host, number int, sealed *wire.Sealed) wire.Answer {
	s.Helper()
	a, err := h.Ask(s, s.Services[number].Addr(), sealed)
	testroot.Must(s, err)
	return a
}

// asks asks as again does, while the test goes on.
func (s *site) asks(h *testfleet.Host, number int, sealed *wire.Sealed) chan wire.Answer {
	answer := make(chan wire.Answer, 1)
	go func() {
		a, err := h.Ask(s, s.Services[number].Addr(), sealed)
		if err != nil {
			s.Error(err)
		}
		answer <- a
	}()
	return answer
}

func TestTheSameQuestionAskedAgainHasTheSameAnswerAndIsNotDoneAgain(t *testing.T) {
	s := newSite(t, 3)
	for _, code := range []string{s.wrong(1)[0], s.code()} {
		q, body := testfleet.Guess("alice", code)
		sealed := s.web1.Seal(t, q, body)
		first := s.again(s.web1, 0, sealed)
		for i := range 3 {
			if got := s.again(s.web1, i, sealed); !bytes.Equal(got.Body, first.Body) ||
				got.Fault != wire.Done {
				t.Errorf("again: got %s %s, want %s", got.Fault, got.Body, first.Body)
			}
		}
		if code == s.code() && testfleet.Guessed(t, first).Result != authority.Accepted {
			t.Errorf("got %s, want accepted", first.Body)
		}
		if st := s.State(t, "alice"); st.Refused.Count > 1 {
			t.Errorf("got %d wrong codes, want 1", st.Refused.Count)
		}
	}
}

func TestATokenOfAnotherQuestionIsWorthNothing(t *testing.T) {
	s := newSite(t, 2)
	s.Enroll(t, "bob", phone)
	token := wire.NewToken()
	right, wrong := s.code(), s.wrong(1)[0]
	ask := func(h *testfleet.Host, user, code string) wire.Answer {
		q, body := testfleet.Guess(user, code)
		q.Token = token
		return h.Must(t, q, body)
	}
	if got := testfleet.Guessed(t, ask(s.web1, "alice", right)); got.Result != authority.Accepted {
		t.Fatalf("got %+v", got)
	}
	if a := ask(s.web2, "alice", right); a.Fault != wire.Protocol || a.Body != nil {
		t.Errorf("from another host: got %s %s", a.Fault, a.Body)
	}
	if a := ask(s.web1, "alice", wrong); a.Fault != wire.Protocol || a.Body != nil {
		t.Errorf("with another code: got %s %s", a.Fault, a.Body)
	}
	if got := testfleet.Guessed(t, ask(s.web1, "bob", wrong)); got.Result != authority.Wrong {
		t.Errorf("about another user: got %+v", got)
	}
	if st := s.State(t, "alice"); st.Refused.Count != 0 {
		t.Errorf("got %d wrong codes charged, want 0", st.Refused.Count)
	}
}

// hands move a clock.
type hands struct{ off atomic.Int64 }

// on is a clock with these hands.
func (h *hands) on(clock func() time.Time) func() time.Time {
	return func() time.Time { return clock().Add(time.Duration(h.off.Load())) }
}

func (h *hands) advance(by time.Duration) { h.off.Add(int64(by)) }

func TestAnAnswerIsNotGivenAgainAfterTenSeconds(t *testing.T) {
	clock := &hands{}
	s := newSite(t, 2, func(f *testfleet.Fleet) { f.Clock = clock.on(f.Clock) })
	q, body := testfleet.Guess("alice", s.code())
	sealed := s.web1.Seal(t, q, body)
	s.again(s.web1, 0, sealed)
	clock.advance(15 * time.Second)
	if a := s.again(s.web1, 1, sealed); a.Fault != wire.Unknown || a.Body != nil {
		t.Errorf("got %s %s, want unknown", a.Fault, a.Body)
	}
}

// Of two services that got a question, the slower one may come to it when the account is already
// another one.
func TestQuestionThatDeletedAnAccountIsNotDoneToTheNextOne(t *testing.T) {
	s := newSite(t, 2)
	admin := s.Host(t, "adminhost", hosts.Admin)
	for _, c := range []struct {
		op   string
		body any
	}{
		{"enroll.reset", map[string]any{"name": "alice", "right": map[string]bool{"root": true}}},
		{moving.OpExport, moving.Question{ID: "1"}},
	} {
		q, guess := testfleet.Guess("alice", s.wrong(1)[0])
		guessed := s.web1.Seal(t, q, guess)
		wrong := s.again(s.web1, 0, guessed)
		sealed := admin.Seal(t, wire.Question{Op: c.op, User: "alice", UID: 1000,
			Service: "enroll"}, c.body)
		first := s.again(admin, 0, sealed)
		if first.Fault != wire.Done || s.has("alice") {
			t.Fatalf("%s: got %q (%s), want alice's account deleted", c.op, first.Fault, first.Text)
		}
		s.Enroll(t, "alice", phone)
		got := s.again(admin, 1, sealed)
		if got.Fault != wire.Done || !bytes.Equal(got.Body, first.Body) || !s.has("alice") {
			t.Errorf("%s again: got %q %s, alice there: %v; want %s and alice there", c.op, got.Fault,
				got.Body, s.has("alice"), first.Body)
		}
		late := s.again(s.web1, 1, guessed)
		if st := s.State(t, "alice"); !bytes.Equal(late.Body, wrong.Body) || st.Refused.Count != 0 {
			t.Errorf("a wrong code from before %s again: got %q %s and %d charged, want %s and none",
				c.op, late.Fault, late.Body, st.Refused.Count, wrong.Body)
		}
	}
}

// has reports whether the fleet has an account of a user.
func (s *site) has(user string) (there bool) {
	s.Helper()
	testroot.Must(s, s.Admin.Store.Run(testfleet.Context(s), nil, func(t *store.Txn) error {
		_, err := t.Keyring().Records.Load(record.User{Name: user})
		there = err == nil
		return nil
	}))
	return there
}

// recordOf returns the fleet's record of a user.
func (s *site) recordOf(user string) (r *record.Record) {
	s.Helper()
	testroot.Must(s, s.Admin.Store.Run(testfleet.Context(s), nil, func(t *store.Txn) (err error) {
		r, err = t.Keyring().Records.Load(record.User{Name: user})
		return err
	}))
	return r
}

// What a question changed may have been changed again before a slower service comes to it.
func TestQuestionThatChangedOnlyTheRecordIsNotDoneAgain(t *testing.T) {
	s := newSite(t, 2)
	admin := s.Host(t, "adminhost", hosts.Admin)
	rename := func(from, to string) *wire.Sealed {
		return admin.Seal(t, wire.Question{Op: "enroll.rename", User: "alice", UID: 1000,
			Service: "enroll"}, map[string]any{"right": map[string]bool{"root": true},
			"name": from, "label": to})
	}
	there, back := rename("phone", "old"), rename("old", "phone")
	first := s.again(admin, 0, there)
	for range 2 {
		if a := s.again(admin, 0, back); a.Fault != wire.Done {
			t.Fatalf("got %q (%s)", a.Fault, a.Text)
		}
		if a := s.again(admin, 1, there); !bytes.Equal(a.Body, first.Body) {
			t.Errorf("again: got %q %s, want %s", a.Fault, a.Body, first.Body)
		}
		r, err := accountsFrom(t, admin).Record(alice)
		if err != nil || r.Find("phone") == nil {
			t.Errorf("got %+v, %v; want the device with its own label", r, err)
		}
	}
}

func TestRevokedHostGetsNoAnswerAgainEither(t *testing.T) {
	s := newSite(t, 2)
	q, body := testfleet.Guess("alice", s.code())
	sealed := s.web1.Seal(t, q, body)
	s.again(s.web1, 0, sealed)
	testroot.Must(t, s.Admin.Revoke(testfleet.Context(t), "web1"))
	if a := s.again(s.web1, 0, sealed); a.Fault != wire.Revoked || a.Body != nil {
		t.Errorf("got %s %s, want revoked", a.Fault, a.Body)
	}
}

// A service that ends at any moment of a question has done it or not, and the question asked again
// elsewhere says which.
func TestServiceKilledAtAnyMomentOfAQuestionAnswersItOnceElsewhere(t *testing.T) {
	for _, moment := range []string{"read", "ran", "ready", "written", "answering"} {
		t.Run(moment, func(t *testing.T) {
			s := newSite(t, 1)
			for _, c := range []struct {
				code string
				want authority.Result
			}{{s.wrong(1)[0], authority.Wrong}, {s.code(), authority.Accepted}} {
				q, body := testfleet.Guess("alice", c.code)
				sealed := s.web1.Seal(t, q, body)
				killed := s.Process(t, "guess", moment)
				if a, err := s.web1.Ask(t, killed, sealed); err == nil {
					t.Fatalf("got an answer of a service that was to end: %+v", a)
				}
				for range 2 {
					got := testfleet.Guessed(t, s.again(s.web1, 0, sealed))
					if got.Result != c.want {
						t.Errorf("asked again: got %s, want %s", got.Result, c.want)
					}
				}
				if st := s.State(t, "alice"); c.want == authority.Wrong && st.Refused.Count != 1 {
					t.Errorf("got %d wrong codes charged, want 1", st.Refused.Count)
				}
			}
			s.result(s.web2, "alice", s.code(), authority.Replayed)
		})
	}
}

func TestJoiningAgainWithTheSameKeyIsTheSameAndWithAnotherIsRefused(t *testing.T) {
	s := newSite(t, 1)
	ticket, err := s.Admin.Invite(testfleet.Context(t), hosts.Host{Name: "web3",
		Roles: []hosts.Role{hosts.Verify}}, time.Now().Add(time.Hour))
	testroot.Must(t, err)
	first, other := s.Stranger("web3"), s.Stranger("web3")
	if a := first.Join(t, []byte("another secret")); a.Fault != wire.Revoked {
		t.Errorf("another secret: got %q", a.Fault)
	}
	stolen := service.Join{Secret: ticket, Key: s.web1.Key.Public().String()}
	if a := first.Must(t, wire.Question{Op: "join"}, stolen); a.Fault != wire.Protocol {
		t.Errorf("a key that did not sign: got %q", a.Fault)
	}
	for range 2 {
		if a := first.Join(t, ticket); a.Fault != wire.Done {
			t.Errorf("got %s: %s", a.Fault, a.Text)
		}
	}
	if a := other.Join(t, ticket); a.Fault != wire.Revoked {
		t.Errorf("another key: got %q", a.Fault)
	}
	s.result(first, "alice", s.code(), authority.Accepted)
	if _, err := s.Admin.Invite(testfleet.Context(t), hosts.Host{Name: "web3"},
		time.Now().Add(time.Hour)); err == nil {
		t.Error("got a ticket for a host that is in the fleet")
	}
}

func TestTicketEnds(t *testing.T) {
	clock := &hands{}
	s := newSite(t, 1, func(f *testfleet.Fleet) { f.Clock = clock.on(f.Clock) })
	ticket, err := s.Admin.Invite(testfleet.Context(t), hosts.Host{Name: "web3"},
		s.Clock().Add(time.Minute))
	testroot.Must(t, err)
	clock.advance(2 * time.Minute)
	if a := s.Stranger("web3").Join(t, ticket); a.Fault != wire.Revoked {
		t.Errorf("got %q, want revoked", a.Fault)
	}
}
