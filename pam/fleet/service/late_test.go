package service_test

import (
	"bytes"
	"fmt"
	"sync"
	"testing"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"

	"latchkey/pam/enrollment"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/moving"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/sshd/fleet/cluster"
)

// root seals a question of root's.
func (s *site) root(h *testfleet.Host, op, user string, more map[string]any) *wire.Sealed {
	s.Helper()
	body := map[string]any{"right": map[string]bool{"root": true}}
	for key, value := range more {
		body[key] = value
	}
	return h.Seal(s, wire.Question{Op: op, User: user, UID: 1000, Service: "enroll"}, body)
}

// done asks as again does, and demands that the question is done.
func (s *site) done(h *testfleet.Host, number int, sealed *wire.Sealed) wire.Answer {
	s.Helper()
	a := s.again(h, number, sealed)
	if a.Fault != wire.Done || bytes.Contains(a.Body, []byte(`"failed"`)) {
		s.Fatalf("got %q (%s) %s, want it done", a.Fault, a.Text, a.Body)
	}
	return a
}

// Every change, made or refused, is remembered, whichever keys it changed.
func TestEveryChangeIsDoneOnceAndAnswersTheSameAgain(t *testing.T) {
	s := newSite(t, 2)
	s.Enroll(t, "alice", phone, testroot.TOTP("tablet"))
	admin := s.Host(t, "adminhost", hosts.Admin, hosts.Enroll, hosts.Verify)
	_, ticket := testroot.OneTimeCode(t, s.Clock().Add(time.Hour))
	set := enrollment.ImportedRecovery([]string{"12345678"})
	has := enrollment.Enrollment{Devices: []record.Device{testroot.TOTP("other")},
		Counters: []uint64{0}}
	moves := func(op, user string, q moving.Question) *wire.Sealed {
		q.ID = "1"
		return admin.Seal(t, wire.Question{Op: op, User: user, UID: 1000}, q)
	}
	guess := func(code string) *wire.Sealed {
		q, body := testfleet.Guess("alice", code)
		return admin.Seal(t, q, body)
	}
	type more = map[string]any
	for _, c := range []struct {
		name string
		q    *wire.Sealed
	}{
		{"a wrong code", guess(s.wrong(1)[0])},
		{"a right code", guess(s.code())},
		{"a wrong code at enroll", s.root(admin, "enroll.try", "alice",
			more{"code": s.wrong(2)[1]})},
		{"add", s.root(admin, "enroll.add", "alice", more{"device": testroot.TOTP("new")})},
		{"add again", s.root(admin, "enroll.add", "alice", more{"device": testroot.TOTP("new")})},
		{"enroll, refused", s.root(admin, "enroll.enroll", "alice", more{"enrollment": has})},
		{"enroll", s.root(admin, "enroll.enroll", "bob", more{"enrollment": has})},
		{"take over", s.root(admin, "enroll.take-over", "carol", more{"enrollment": has})},
		{"take over, refused", s.root(admin, "enroll.take-over", "alice", more{"enrollment": has})},
		{"rename", s.root(admin, "enroll.rename", "alice", more{"name": "new", "label": "old"})},
		{"remove", s.root(admin, "enroll.remove", "alice", more{"name": "old"})},
		{"remove, refused", s.root(admin, "enroll.remove", "alice", more{"name": "old"})},
		{"exchange", s.root(admin, "enroll.exchange", "bob", more{"exchange": enrollment.Exchange{
			Old: has.Devices[0].ID, New: testroot.TOTP("newest"), Recovery: set}})},
		{"recovery codes", s.root(admin, "enroll.set-recovery", "alice", more{"recovery": set})},
		{"distrust, no one", s.root(admin, "enroll.distrust", "alice", more{"computers": more{
			"all": true}})},
		{"unlock", s.root(admin, "enroll.unlock", "alice", nil)},
		{"bypass", s.root(admin, "enroll.set-bypass", "alice", more{"one_time": ticket})},
		{"ticket", s.root(admin, "enroll.set-ticket", "dave", more{"one_time": ticket})},
		{"ticket, refused", s.root(admin, "enroll.set-ticket", "alice", more{"one_time": ticket})},
		{"import, refused", moves(moving.OpImport, "erin", moving.Question{})},
		{"wait", moves(moving.OpWait, "erin",
			moving.Question{Moved: &moving.Moved{Enrollment: has}})},
		{"import", moves(moving.OpImport, "erin", moving.Question{})},
		{"export", moves(moving.OpExport, "erin", moving.Question{})},
		{"end of the export", moves(moving.OpEnd, "erin", moving.Question{})},
		{"reset", s.root(admin, "enroll.reset", "alice", nil)},
		{"reset, refused", s.root(admin, "enroll.reset", "alice", nil)},
	} {
		before := s.dump()
		first := s.again(admin, 0, c.q)
		after := s.dump()
		again := s.again(admin, 1, c.q)
		if again.Fault != first.Fault || !bytes.Equal(again.Body, first.Body) {
			t.Errorf("%s: got %q %s again, want %q %s", c.name, again.Fault, again.Body, first.Fault,
				first.Body)
		}
		if before == after || s.dump() != after {
			t.Errorf("%s: got something remembered: %v, changed again: %v; want true, false", c.name,
				before != after, s.dump() != after)
		}
	}
}

// dump returns all that etcd has about users and hosts' wrong codes.
func (s *site) dump() (all string) {
	s.Helper()
	var reads []clientv3.Op
	for _, begin := range []string{"user/", "gone/", "hostlimit/"} {
		reads = append(reads, clientv3.OpGet(cluster.Prefix+begin, clientv3.WithPrefix()))
	}
	got, err := s.Admin.Store.Etcd().Transact(testfleet.Context(s), nil, reads)
	testroot.Must(s, err)
	for _, r := range got.Responses {
		all += fmt.Sprint(r.GetResponseRange().Kvs)
	}
	return all
}

// What stood in the way of a change may be gone when a slower service comes to the question.
func TestChangeThatWasRefusedIsNotMadeLater(t *testing.T) {
	s := newSite(t, 2)
	admin := s.Host(t, "adminhost", hosts.Admin)
	for name, sealed := range map[string]*wire.Sealed{
		"reset":  s.root(admin, "enroll.reset", "bob", nil),
		"remove": s.root(admin, "enroll.remove", "bob", map[string]any{"name": "phone"}),
		"export": admin.Seal(t, wire.Question{Op: moving.OpExport, User: "bob", UID: 1000},
			moving.Question{ID: "1"}),
	} {
		t.Run(name, func(t *testing.T) {
			first := s.again(admin, 0, sealed)
			s.Enroll(t, "bob", phone, testroot.TOTP("tablet"))
			later := s.again(admin, 1, sealed)
			if !bytes.Equal(later.Body, first.Body) || later.Fault != first.Fault ||
				!s.hasDevice("bob", "phone") {
				t.Errorf("later: got %q %s; want %q %s, and bob's phone there", later.Fault,
					later.Body, first.Fault, first.Body)
			}
			s.done(admin, 0, s.root(admin, "enroll.reset", "bob", nil))
		})
	}
}

// hasDevice reports whether the fleet has a device of a user.
func (s *site) hasDevice(user, label string) bool {
	return s.has(user) && s.recordOf(user).Find(label) != nil
}

// A question whose token was forgotten would be done again.
func TestQuestionIsRememberedHoweverMuchIsDoneMeanwhile(t *testing.T) {
	s := newSite(t, 2)
	admin := s.Host(t, "adminhost", hosts.Admin)
	reset := s.root(admin, "enroll.reset", "alice", nil)
	first := s.done(admin, 0, reset)
	s.Enroll(t, "alice", phone)
	for i := range 20 {
		from, to := "phone", "app"
		if i%2 == 1 {
			from, to = to, from
		}
		s.done(admin, 0, s.root(admin, "enroll.rename", "alice",
			map[string]any{"name": from, "label": to}))
	}
	// Its answer is forgotten sooner, and then no service knows what came of the question.
	again := s.again(admin, 1, reset)
	if again.Fault != wire.Unknown || !s.has("alice") {
		t.Errorf("again: got %q %s, alice there: %v; want unknown, not %s, and alice there",
			again.Fault, again.Body, s.has("alice"), first.Body)
	}
}

// frozen is a site whose second service is frozen when it comes to a moment of an operation, until
// it goes on.
type frozen struct {
	*site
	clock   *hands
	reached chan struct{}
	goOn    chan struct{}
	resume  func() // closes goOn
}

func newFrozen(t *testing.T, op, moment string) *frozen {
	t.Helper()
	f := &frozen{clock: &hands{}, reached: make(chan struct{}), goOn: make(chan struct{})}
	f.site = newSite(t, 1, func(fleet *testfleet.Fleet) { fleet.Clock = f.clock.on(fleet.Clock) })
	first := true
	f.Change = func(c *service.Config) {
		c.GivenUp = 8 * time.Second
		c.Store.Point = func(of, at string) {
			if of != op || at != moment || !first {
				return
			}
			first = false
			close(f.reached)
			<-f.goOn
		}
	}
	f.Start(t, 1)
	f.resume = sync.OnceFunc(func() { close(f.goOn) })
	t.Cleanup(f.resume) // before the service is stopped, which waits for its answers
	return f
}

// ask asks the service that will be frozen, and returns once it is.
func (f *frozen) ask(h *testfleet.Host, sealed *wire.Sealed) (answer chan wire.Answer) {
	f.Helper()
	answer = f.asks(h, 1, sealed)
	select {
	case <-f.reached:
	case a := <-answer:
		f.Fatalf("got an answer before the service was frozen: %q (%s)", a.Fault, a.Text)
	}
	return answer
}

var moments = []string{"read", "ran", "ready"}

// The administrator was told that it is not known what came of the reset, and has typed it again.
func TestServiceThatWasFrozenDoesNotResetAUserWhoHasEnrolledMeanwhile(t *testing.T) {
	for _, moment := range moments {
		for _, long := range []time.Duration{20 * time.Second, 2 * time.Minute} {
			t.Run(moment+" "+long.String(), func(t *testing.T) {
				f := newFrozen(t, "enroll.reset", moment)
				admin := f.Host(t, "adminhost", hosts.Admin)
				answer := f.ask(admin, f.root(admin, "enroll.reset", "alice", nil))
				f.done(admin, 0, f.root(admin, "enroll.reset", "alice", nil))
				f.done(admin, 0, f.root(admin, "enroll.enroll", "alice", map[string]any{
					"enrollment": enrollment.Enrollment{Devices: []record.Device{phone},
						Counters: []uint64{0}}}))
				f.clock.advance(long)
				f.resume()
				if a := <-answer; a.Fault == wire.Done || !f.has("alice") {
					t.Errorf("got %q %s, alice there: %v; want a fault, and alice there", a.Fault,
						a.Body, f.has("alice"))
				}
			})
		}
	}
}

// There is no bob before and after, which looks the same.
func TestServiceThatWasFrozenDoesNotEnrollAUserWhoWasResetMeanwhile(t *testing.T) {
	for _, moment := range moments {
		t.Run(moment, func(t *testing.T) {
			f := newFrozen(t, "enroll.enroll", moment)
			admin := f.Host(t, "adminhost", hosts.Admin)
			lost := map[string]any{"enrollment": enrollment.Enrollment{
				Devices: []record.Device{phone}, Counters: []uint64{0}}}
			answer := f.ask(admin, f.root(admin, "enroll.enroll", "bob", lost))
			f.done(admin, 0, f.root(admin, "enroll.enroll", "bob", lost))
			f.done(admin, 0, f.root(admin, "enroll.reset", "bob", nil))
			f.clock.advance(20 * time.Second)
			f.resume()
			if a := <-answer; a.Fault == wire.Done || f.has("bob") {
				t.Errorf("got %q %s, bob there: %v; want a fault, and no bob", a.Fault, a.Body,
					f.has("bob"))
			}
		})
	}
}
