package service_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"sync"
	"testing"

	"latchkey/pam/accounts"
	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/takeover"
	"latchkey/pam/testroot"
)

// file is what another second factor's file says of bob: the app of all tests, and codes.
func file(counter uint64) enrollment.Enrollment {
	return enrollment.Enrollment{Devices: []record.Device{phone}, Counters: []uint64{counter},
		Recovery: enrollment.ImportedRecovery([]string{"12345678", "23456789"})}
}

// importing is the question that has bob taken over.
func (s *site) importing(h *testfleet.Host, e enrollment.Enrollment, replace bool) *wire.Sealed {
	s.Helper()
	return h.Seal(s, wire.Question{Op: "enroll.take-over", User: "bob", UID: 1001,
		Service: "enroll"}, map[string]any{"right": map[string]bool{"root": true}, "enrollment": e,
		"replace": replace})
}

// became is what an answer says of bob.
func (s *site) became(a wire.Answer) takeover.Result {
	s.Helper()
	var r accounts.Reply
	if a.Fault == wire.Done {
		testroot.Must(s, json.Unmarshal(a.Body, &r))
	}
	if r.Failed != nil || r.TookOver.Result == "" {
		s.Errorf("got fault %q (%s), %s; want an outcome", a.Fault, a.Text, a.Body)
	}
	return r.TookOver.Result
}

// bobs is all that the fleet has of bob: his record and what he has used.
func (s *site) bobs() (all string) {
	s.Helper()
	testroot.Must(s, s.Admin.Store.Run(testfleet.Context(s), nil, func(t *store.Txn) error {
		r, st, err := t.Keyring().View(record.User{Name: "bob"})
		all = fmt.Sprintf("%v %+v %+v", err, r, st)
		return nil
	}))
	return all
}

func TestTheSameFileAgainChangesNothingAndRevivesNoCode(t *testing.T) {
	s := newSite(t, 2)
	admin := s.Host(t, "admin", hosts.Admin)
	first := s.importing(admin, file(0), false)
	answer := s.again(admin, 0, first)
	if got := s.became(answer); got != takeover.Imported {
		t.Fatalf("got %s, want it imported", got)
	}
	if again := s.again(admin, 1, first); !bytes.Equal(again.Body, answer.Body) {
		t.Errorf("the same question: got %s, want %s", again.Body, answer.Body)
	}
	s.result(s.web1, "bob", s.code(), authority.Accepted)
	s.result(s.web1, "bob", "12345678", authority.Accepted)
	for _, replace := range []bool{false, true} {
		before := s.bobs()
		got := s.became(s.again(admin, 0, s.importing(admin, file(0), replace)))
		if after := s.bobs(); got != takeover.Unchanged || after != before {
			t.Errorf("replace %v: got %s and %s, want %s", replace, got, after, before)
		}
	}
	s.result(s.web2, "bob", s.code(), authority.Replayed)
	s.result(s.web2, "bob", "12345678", authority.Replayed)
	s.result(s.web2, "bob", "23456789", authority.Accepted)
}

func TestManyImportsOfOneUserAtOnceComeToOne(t *testing.T) {
	s := newSite(t, 2)
	admin := s.Host(t, "admin", hosts.Admin)
	var all sync.WaitGroup
	answers := make([]wire.Answer, 8)
	for i := range answers {
		sealed := s.importing(admin, file(0), i%2 == 0)
		all.Go(func() {
			var err error
			if answers[i], err = admin.Ask(t, s.Services[i%2].Addr(), sealed); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := map[takeover.Result]int{}
	for _, a := range answers {
		got[s.became(a)]++
	}
	if got[takeover.Imported] != 1 || got[takeover.Unchanged] != len(answers)-1 {
		t.Errorf("got %v, want one imported and the others unchanged", got)
	}
}

// A code that the other module has accepted meanwhile must not be accepted here.
func TestCodeThatTheFileHasAsUsedIsRefusedInTheFleet(t *testing.T) {
	s := newSite(t, 1)
	admin := s.Host(t, "admin", hosts.Admin)
	now := uint64(s.Clock().Unix() / 30)
	for _, c := range []struct {
		counter uint64
		became  takeover.Result
	}{{0, takeover.Imported}, {now + 1, takeover.Updated}, {0, takeover.Unchanged}} {
		if got := s.became(s.again(admin, 0, s.importing(admin, file(c.counter),
			false))); got != c.became {
			t.Errorf("used up to %d: got %s, want %s", c.counter, got, c.became)
		}
	}
	s.result(s.web1, "bob", s.code(), authority.Replayed)
}

func TestOnlyRootOfAHostWithTheRoleTakesUsersOver(t *testing.T) {
	s := newSite(t, 1)
	admin, bastion := s.Host(t, "admin", hosts.Admin), s.Host(t, "bastion", hosts.Enroll)
	revoked := s.Host(t, "revoked", hosts.Admin)
	testroot.Must(t, s.Admin.Revoke(testfleet.Context(t), "revoked"))
	for _, c := range []struct {
		host *testfleet.Host
		want wire.Fault
	}{{s.web1, wire.Role}, {bastion, wire.Role}, {revoked, wire.Revoked}} {
		a := s.again(c.host, 0, s.importing(c.host, file(0), true))
		if a.Fault != c.want || bytes.Contains(a.Body, []byte("took_over")) {
			t.Errorf("%s: got %q %s, want %s", c.host.Name, a.Fault, a.Body, c.want)
		}
	}
	for name, body := range map[string]map[string]any{
		"without a right": {"enrollment": file(0)},
		"by a password":   {"enrollment": file(0), "right": map[string]bool{"password": true}},
		"of nothing":      {"right": map[string]bool{"root": true}},
		"of no device": {"right": map[string]bool{"root": true},
			"enrollment": enrollment.Enrollment{}},
	} {
		for _, h := range []*testfleet.Host{admin, bastion} {
			a := h.Must(t, wire.Question{Op: "enroll.take-over", User: "bob"}, body)
			if bytes.Contains(a.Body, []byte("took_over")) {
				t.Errorf("%s, from %s: got %s, want it refused", name, h.Name, a.Body)
			}
		}
	}
	if got := s.bobs(); !bytes.Contains([]byte(got), []byte("no second factor")) {
		t.Errorf("got %s, want nothing of bob's", got)
	}
}

// Whichever way the first command ended, bob has everything or nothing, and the next one completes
// it.
func TestServiceKilledAtAnyMomentOfAnImportLeavesAllOfAUserOrNothing(t *testing.T) {
	for moment, want := range map[string]takeover.Result{"read": takeover.Imported,
		"ran": takeover.Imported, "ready": takeover.Imported, "written": takeover.Unchanged,
		"answering": takeover.Unchanged} {
		t.Run(moment, func(t *testing.T) {
			s := newSite(t, 1)
			admin := s.Host(t, "admin", hosts.Admin)
			killed := s.Process(t, "enroll.take-over", moment)
			sealed := s.importing(admin, file(0), false)
			if a, err := admin.Ask(t, killed, sealed); err == nil {
				t.Fatalf("got an answer of a service that was to end: %+v", a)
			}
			if want == takeover.Unchanged { // else the question is as good as new
				if got := s.became(s.again(admin, 0, sealed)); got != takeover.Imported {
					t.Errorf("the same question: got %s, want the answer that was lost", got)
				}
			}
			got := s.became(s.again(admin, 0, s.importing(admin, file(0), false)))
			if got != want {
				t.Errorf("the next command: got %s, want %s", got, want)
			}
			s.result(s.web1, "bob", s.code(), authority.Accepted)
			s.result(s.web2, "bob", "12345678", authority.Accepted)
		})
	}
}
