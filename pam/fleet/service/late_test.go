package service_test

import (
	"bytes"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/moving"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// root is a question of root's.
func (s *site) root(h *testfleet.Host, op, user string, more map[string]any) *wire.Sealed {
	s.Helper()
	body := map[string]any{"right": map[string]bool{"root": true}}
	for key, value := range more {
		body[key] = value
	}
	return h.Seal(s, wire.Question{Op: op, User: user, UID: 1000, Service: "enroll"}, body)
}

// done is again for a question that must be done.
func (s *site) done(h *testfleet.Host, number int, sealed *wire.Sealed) wire.Answer {
	s.Helper()
	a := s.again(h, number, sealed)
	if a.Fault != wire.Done || bytes.Contains(a.Body, []byte(`"failed"`)) {
		s.Fatalf("got %q (%s) %s, want it done", a.Fault, a.Text, a.Body)
	}
	return a
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
	// Its answer is forgotten sooner, and then it cannot be told what came of the question.
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
}

func newFrozen(t *testing.T, op, moment string) *frozen {
	t.Helper()
	f := &frozen{clock: &hands{}, reached: make(chan struct{}), goOn: make(chan struct{})}
	f.site = newSite(t, 1, func(fleet *testfleet.Fleet) { fleet.Clock = f.clock.on(fleet.Clock) })
	first := true
	f.Change = func(c *service.Config) {
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
	return f
}

// ask asks the service that will be frozen, and returns once it is.
func (f *frozen) ask(h *testfleet.Host, sealed *wire.Sealed) (answer chan wire.Answer) {
	f.Helper()
	answer = make(chan wire.Answer, 1)
	go func() {
		a, err := h.Ask(f, f.Services[1].Addr(), sealed)
		if err != nil {
			f.Error(err)
		}
		answer <- a
	}()
	select {
	case <-f.reached:
	case a := <-answer:
		f.Fatalf("got an answer before the service was frozen: %q (%s)", a.Fault, a.Text)
	}
	return answer
}

var moments = []string{"read", "ran", "ready"}

// The administrator was told that it is not known what came of the reset, and has typed it again.
func TestServiceThatWasFrozenDoesNotResetWhoHasEnrolledMeanwhile(t *testing.T) {
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
				close(f.goOn)
				if a := <-answer; a.Fault == wire.Done || !f.has("alice") {
					t.Errorf("got %q %s, alice there: %v; want a fault, and alice there", a.Fault,
						a.Body, f.has("alice"))
				}
			})
		}
	}
}

// Nobody is there before and after, which looks alike.
func TestServiceThatWasFrozenDoesNotEnrollWhoWasResetMeanwhile(t *testing.T) {
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
			close(f.goOn)
			if a := <-answer; a.Fault == wire.Done || f.has("bob") {
				t.Errorf("got %q %s, bob there: %v; want a fault, and no bob", a.Fault, a.Body,
					f.has("bob"))
			}
		})
	}
}
