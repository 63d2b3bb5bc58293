package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/session"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// inFleet makes the world a host of f.
func (w *world) inFleet(f *testfleet.Fleet, name string, roles ...hosts.Role) {
	w.t.Helper()
	opening, err := f.Secret.Opening()
	must(w.t, err)
	standin.Configure(w.t, testroot.Root(w.root), settings.Settings{
		Services: []string{fmt.Sprintf("https://%s", f.Services[0].Addr())},
		FleetKey: opening.Public(), VerifyKey: f.Keys(w.t), CA: string(f.Authority.PEM),
		Host: name, Key: f.Host(w.t, name, roles...).Key}, "")
}

// enrolls is a login of alice's on a host of a fleet, in which she must enroll.
func (w *world) enrolls(answers ...func(*world) string) verdict.Outcome {
	w.prompts, w.told, w.answers = nil, nil, answers
	rules, err := policy.Load(w.root, policy.DefaultPath)
	must(w.t, err)
	return enroll(session.Enrolling{Flow: flow.Flow{Root: w.root, Clock: time.Now, Talk: w},
		Request: flow.Request{User: "alice", Name: "alice", UID: uid, Lookup: flow.Found,
			Service: "sshd"}, Policy: rules})
}

// current is a code of the device whose secret was shown last.
func current(w *world) string { return w.shown(time.Now()) }

func TestUserEnrollsInALoginOnAHostOfAFleetWithATicket(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	w := newWorld(t, "")
	w.inFleet(f, "bastion", hosts.Enroll)
	code, ticket := testroot.OneTimeCode(t, time.Now().Add(time.Hour))
	wrongTicket := text("zzzzz-99999")
	if o := w.enrolls(wrongTicket, wrongTicket, wrongTicket); o.Allow {
		t.Errorf("got %+v without a ticket, want it denied", o)
	}
	must(t, f.Admin.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
		alice := record.User{Name: "alice"}
		return enrollment.Store{Keyring: txn.Keyring()}.SetTicket(enrollment.ByRoot(), alice,
			ticket)
	}))
	o := w.enrolls(text(code), current, enter)
	if !o.Allow || o.Reason != verdict.OK ||
		f.State(t, "alice").Enrollment == (state.EnrollmentID{}) {
		t.Errorf("got %+v, want alice enrolled in the fleet and let in", o)
	}
	if names, err := w.keyring.Names(); err != nil || len(names) > 0 {
		t.Errorf("got %q, %v; want no record on the host", names, err)
	}
}

// The entry in the app may be right, and then the next login asks for its code.
func TestUserWhoseEnrollmentGotNoAnswerIsToldToKeepTheEntry(t *testing.T) {
	f := testfleet.New(t, "enroll_ticket = false\n")
	f.Change = func(c *service.Config) {
		c.Store.Point = func(op, moment string) {
			if op == "enroll.enroll" && moment == "written" {
				panic("after it was done")
			}
		}
	}
	f.Start(t, 1)
	w := newWorld(t, "enroll_ticket = false\n")
	w.inFleet(f, "bastion", hosts.Enroll)
	o := w.enrolls(current, enter)
	if o.Allow || o.Reason != verdict.Fleet || strings.Join(w.told, "") != maybeSaved ||
		f.State(t, "alice").Enrollment == (state.EnrollmentID{}) {
		t.Errorf("got %+v, told %q; want it denied, and alice told that she may be enrolled", o,
			w.told)
	}
}

// The denied twins of TestUserEnrollsInALoginOnAHostOfAFleetWithATicket.
func TestUserIsToldWhereToEnrollOnAHostWithoutTheRole(t *testing.T) {
	f := testfleet.New(t, "enroll_ticket = false\n")
	f.Start(t, 1)
	f.Host(t, "bastion", hosts.Enroll)
	w := newWorld(t, "")
	w.inFleet(f, "web1", hosts.Verify)
	o := w.enrolls()
	if o.Allow || o.Reason != verdict.Fleet || !strings.HasPrefix(o.Detail, "(role)") ||
		!strings.Contains(strings.Join(w.told, "\n"), "Users enroll on: bastion") {
		t.Errorf("got %+v, told %q; want it denied, and bastion named", o, w.told)
	}
	f.Services[0].Stop()
	if o := w.enrolls(); o.Allow || !strings.HasPrefix(o.Detail, "(unreachable)") {
		t.Errorf("got %+v, want it denied because no service can be reached", o)
	}
}

func TestAFleetsPolicyMaySayThatNoTicketIsNeeded(t *testing.T) {
	f := testfleet.New(t, "enroll_ticket = false\n")
	f.Start(t, 1)
	w := newWorld(t, "")
	w.inFleet(f, "bastion", hosts.Enroll)
	if o := w.enrolls(current, enter); !o.Allow {
		t.Errorf("got %+v, want alice enrolled", o)
	}
}
