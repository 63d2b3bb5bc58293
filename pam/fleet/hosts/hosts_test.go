package hosts_test

import (
	"testing"
	"time"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/limit"
	"latchkey/pam/testroot"
)

var noon = testroot.Noon

func TestHostHasTheRolesItWasGivenAndEnrollsByItsNameOrGroup(t *testing.T) {
	h := hosts.Host{Name: "web1", Status: hosts.Active, Groups: []string{"bastion"},
		Roles: []hosts.Role{hosts.Verify}}
	for _, c := range []struct {
		role      hosts.Role
		enrolling []string
		want      bool
	}{
		{hosts.Verify, nil, true}, {hosts.Enroll, nil, false}, {hosts.Admin, nil, false},
		{hosts.Enroll, []string{"web1"}, true}, {hosts.Enroll, []string{"@bastion"}, true},
		{hosts.Enroll, []string{"bastion", "@web1", "web2"}, false},
		{hosts.Admin, []string{"web1", "@bastion"}, false}, {"", []string{"web1"}, false},
	} {
		if got := h.May(c.role, c.enrolling); got != c.want {
			t.Errorf("%s with %v: got %v, want %v", c.role, c.enrolling, got, c.want)
		}
	}
	for _, status := range []hosts.Status{"", hosts.Invited, hosts.Revoked} {
		h.Status = status
		if h.May(hosts.Verify, nil) || h.May(hosts.Enroll, []string{"web1"}) {
			t.Errorf("%q: it has a role", status)
		}
	}
}

func TestOnlyAnActiveHostHasAKeyAndOnlyItsTicketGivesItOne(t *testing.T) {
	key, other := fleetkey.NewSigning().Public(), fleetkey.NewSigning().Public()
	h, secret := hosts.Invite(hosts.Host{Name: "web1"}, "root", noon, noon.Add(time.Hour))
	none := fleetkey.Public{}
	if h.PublicKey().String() != none.String() {
		t.Error("an invited host has a key")
	}
	for name, try := range map[string]func() bool{
		"another secret": func() bool { return h.Join([]byte("x"), key, noon) },
		"no secret":      func() bool { return h.Join(nil, key, noon) },
		"too late":       func() bool { return h.Join(secret, key, noon.Add(time.Hour)) },
	} {
		if try() {
			t.Errorf("%s: joined", name)
		}
	}
	if !h.Join(secret, key, noon) || !h.PublicKey().Equal(key) {
		t.Error("the ticket gave no key")
	}
	if !h.Join(secret, key, noon) || h.Join(secret, other, noon) {
		t.Error("again: want the same key only")
	}
	h.Revoke("root", noon)
	if h.Join(secret, key, noon) || h.PublicKey().String() != none.String() {
		t.Error("a revoked host has a key")
	}
	if (&hosts.Host{}).Join(nil, key, noon) {
		t.Error("a host that was never invited joined")
	}
}

var limits = hosts.Limits{Failures: limit.Rate{Count: 3, Window: 10 * time.Minute}, Users: 2,
	Lasts: time.Hour}

func TestWrongCodesWithinTheWindowBeginAQuarantine(t *testing.T) {
	var f hosts.Failures
	for _, after := range []time.Duration{0, time.Minute, 11 * time.Minute, 12 * time.Minute} {
		if f.Charge(limits, "alice", noon.Add(after)) {
			t.Errorf("%s: a quarantine began", after)
		}
	}
	now := noon.Add(13 * time.Minute)
	if !f.Charge(limits, "alice", now) || !f.Quarantined(now) {
		t.Error("the third within the window began none")
	}
	if !f.Quarantined(now.Add(59*time.Minute)) || f.Quarantined(now.Add(time.Hour)) {
		t.Error("it does not last an hour")
	}
	if f.Charge(limits, "alice", now.Add(time.Hour)) {
		t.Error("the first after it began another")
	}
}

func TestWrongCodesOfTooManyUsersBeginAQuarantine(t *testing.T) {
	var f hosts.Failures
	if f.Charge(limits, "alice", noon) || f.Charge(limits, "bob", noon.Add(11*time.Minute)) {
		t.Error("one user in the window began a quarantine")
	}
	if !f.Charge(limits, "carol", noon.Add(12*time.Minute)) {
		t.Error("two users in the window began none")
	}
}

func TestTimesOfAFastClockDoNotCountForever(t *testing.T) {
	var f hosts.Failures
	f.Charge(limits, "alice", noon.Add(24*time.Hour))
	f.Charge(limits, "alice", noon)
	if f.Charge(limits, "alice", noon.Add(11*time.Minute)) {
		t.Error("what was charged by a fast clock still counts after the window")
	}
}
