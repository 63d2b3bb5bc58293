package service_test

import (
	"encoding/json"
	"testing"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/policy"
	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
)

// begin asks about a login of alice's from her computer, and returns what there is to ask.
func (s *site) begin(h *testfleet.Host, l authority.Login) (b authority.Beginning) {
	s.Helper()
	a := h.Must(s, wire.Question{Op: "begin", User: "alice", Service: "sshd"}, l)
	if a.Fault != wire.Done {
		s.Fatalf("%s: got fault %s (%s)", h.Name, a.Fault, a.Text)
	}
	testroot.Must(s, json.Unmarshal(a.Body, &b))
	return b
}

// A host that was stolen can have any computer trusted there. That must not count on the machine
// that takes its place, and name, after it was revoked.
func TestTrustCountsOnTheHostThatItWasGivenOnAndNotOnItsSuccessor(t *testing.T) {
	s := over(t, testfleet.Shared(t, "[trust]\ndays = 30\n"), 1)
	_, guess := testfleet.Guess("alice", "")
	l := guess.Login
	laptop, err := sshkey.Parse(testroot.PlainKey(t, "laptop"))
	testroot.Must(t, err)
	l.Keys = []sshkey.Key{laptop}
	l.Trust = policy.Trust{Days: 30, Bind: []policy.Bind{policy.BindKey}}
	asked := s.begin(s.web1, l)
	given := s.web1.Must(t, wire.Question{Op: "trust", User: "alice", Service: "sshd"},
		authority.Trust{Login: l, Enrollment: asked.Enrollment, Device: phone.ID})
	if given.Fault != wire.Done {
		t.Fatalf("got fault %s (%s)", given.Fault, given.Text)
	}
	if b := s.begin(s.web1, l); b.Result != authority.Accepted {
		t.Errorf("the same host: got %q, want it accepted", b.Result)
	}
	if b := s.begin(s.web2, l); b.Result != authority.Ask {
		t.Errorf("another host: got %q, want a question", b.Result)
	}
	testroot.Must(t, s.Admin.Revoke(testfleet.Context(t), "web1"))
	if b := s.begin(s.Host(t, "web1", hosts.Verify), l); b.Result != authority.Ask {
		t.Errorf("another machine of that name: got %q, want a question", b.Result)
	}
}
