package service_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"latchkey/pam/accounts"
	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

var alice = record.User{Name: "alice", UID: 1000}

// accountsFrom are the fleet's accounts as enroll on a host sees them.
func accountsFrom(t *testing.T, h *testfleet.Host) accounts.Remote {
	return accounts.Remote{Clock: time.Now, Ask: func(op string, u record.User,
		body, answer any) error {
		a := h.Must(t, wire.Question{Op: op, User: u.Name, UID: u.UID, Service: "enroll"}, body)
		if a.Fault != wire.Done {
			return &wire.Error{Fault: a.Fault, Text: a.Text}
		}
		return json.Unmarshal(a.Body, answer)
	}}
}

func TestUserEnrollsOnOneHostWithATicketAndLogsInOnAnother(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 2)
	admin := accountsFrom(t, f.Host(t, "adminhost", hosts.Admin))
	bastion := accountsFrom(t, f.Host(t, "bastion", hosts.Enroll))
	web := f.Host(t, "web1", hosts.Verify)
	phone := testroot.TOTP("phone")
	first := enrollment.Enrollment{Devices: []record.Device{phone}, Counters: []uint64{0}}
	code, ticket := testroot.OneTimeCode(t, time.Now().Add(time.Hour))
	testroot.Must(t, admin.SetTicket(enrollment.ByRoot(), alice, ticket))
	result, p, err := bastion.TryTicket(accounts.Try{User: alice, Code: code, Began: time.Now()})
	if err != nil || result != factor.Accepted {
		t.Fatalf("got %v, %v; want the ticket accepted", result, err)
	}
	testroot.Must(t, bastion.Enroll(p, alice, first))
	if r, err := bastion.Record(alice); err != nil || r.Find("phone") == nil {
		t.Errorf("got %+v, %v; want the device shown", r, err)
	}
	q, guess := testfleet.Guess("alice", testroot.Code(t, phone, time.Now()))
	if g := testfleet.Guessed(t, web.Must(t, q, guess)); g.Result != authority.Accepted {
		t.Errorf("got %+v; want the login accepted", g)
	}
	if names, err := admin.Names(); err != nil || strings.Join(names, " ") != "alice" {
		t.Errorf("got %q, %v; want alice", names, err)
	}
	testroot.Must(t, admin.Reset(enrollment.ByRoot(), "alice"))
	if _, err := bastion.Record(alice); !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("after the reset: got %v, want %v", err, factor.ErrUnenrolled)
	}
}

// The denied twins of TestUserEnrollsOnOneHostWithATicketAndLogsInOnAnother.
func TestHostWithoutTheRoleIsToldWhereUsersEnroll(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	f.Enroll(t, "alice", testroot.TOTP("phone"))
	bastion := accountsFrom(t, f.Host(t, "bastion", hosts.Enroll))
	web := accountsFrom(t, f.Host(t, "web1", hosts.Verify))
	_, err := web.Record(alice)
	if wire.FaultOf(err) != wire.Role || !strings.Contains(err.Error(), "bastion") {
		t.Errorf("got %v, want that bastion has the role", err)
	}
	if _, err := bastion.Names(); wire.FaultOf(err) != wire.Role {
		t.Errorf("all names: got %v, want that the role is missing", err)
	}
	if err := bastion.Reset(enrollment.ByRoot(), "alice"); wire.FaultOf(err) != wire.Role {
		t.Errorf("a reset: got %v, want that the role is missing", err)
	}
	if r, err := bastion.Record(alice); err != nil || r.Find("phone") == nil {
		t.Errorf("got %+v, %v; want alice as she was", r, err)
	}
}

// counted is a Twilio Verify that counts what it is asked, and whose answer may wait.
type counted struct {
	asked *atomic.Int32
	wait  chan struct{}
}

func (counted) Ready() error { return nil }

func (c counted) Send(string, method.Method, string) protocol.Answer {
	c.asked.Add(1)
	return protocol.Answer{Version: protocol.Version, Result: protocol.Sent,
		SID: "VE00000000000000000000000000000001"}
}

func (c counted) Check(_, sid, code string) protocol.Answer {
	c.asked.Add(1)
	<-c.wait
	a := protocol.Answer{Version: protocol.Version, Result: protocol.Wrong, SID: sid}
	if code == "424242" {
		a.Result = protocol.Approved
	}
	return a
}

func TestCodeFromAPhoneIsComparedOnceHoweverOftenTheQuestionIsAsked(t *testing.T) {
	f := testfleet.New(t, "[phone]\nmethods = [\"sms\"]\n")
	c := counted{new(atomic.Int32), make(chan struct{})}
	f.Verifier = func() authority.Verifier { return c }
	f.Start(t, 2)
	f.Enroll(t, "alice", enrollment.NewPhone("mobile", "+15551234567", time.Now()))
	host := f.Host(t, "bastion", hosts.Enroll)
	bastion := accountsFrom(t, host)
	r, err := bastion.Record(alice)
	testroot.Must(t, err)
	sent, err := bastion.Send(accounts.Sending{Channel: method.SMS,
		Phone: accounts.Phone{User: alice, Device: r.Devices[0].ID}})
	if err != nil || sent.Answer.Result != protocol.Sent || c.asked.Load() != 1 {
		t.Fatalf("got %+v, %v, asked %d times; want one code sent", sent, err, c.asked.Load())
	}
	sealed := host.Seal(t, wire.Question{Op: "enroll.judge", User: "alice", Service: "enroll"},
		map[string]any{"phone": r.Devices[0].ID, "code": "424242"})
	answers := make([]wire.Answer, 2)
	var all sync.WaitGroup
	for i := range answers {
		all.Go(func() {
			var err error
			if answers[i], err = host.Ask(t, f.Services[i].Addr(), sealed); err != nil {
				t.Error(err)
			}
		})
	}
	close(c.wait)
	all.Wait()
	if c.asked.Load() != 2 || answers[0].Fault != wire.Done ||
		string(answers[0].Body) != string(answers[1].Body) ||
		!strings.Contains(string(answers[0].Body), `"sealed"`) {
		t.Errorf("asked Twilio %d times, got %+v; want one comparison and the same proof twice",
			c.asked.Load()-1, answers)
	}
}

func TestWrongCodesTypedAtEnrollCountForItsHost(t *testing.T) {
	f := testfleet.New(t, "")
	f.Limits.Failures.Count = 2
	f.Start(t, 1)
	f.Enroll(t, "alice", testroot.TOTP("phone"))
	bastion := accountsFrom(t, f.Host(t, "bastion", hosts.Enroll))
	var err error
	for range 3 {
		_, _, err = bastion.Try(accounts.Try{User: alice, Code: "00000000", Began: time.Now()})
	}
	_, _, wrong := bastion.Try(accounts.Try{User: alice, Code: "000000", Began: time.Now()})
	for range 2 {
		_, _, err = bastion.Try(accounts.Try{User: alice, Code: "000000", Began: time.Now()})
	}
	if wrong != nil || wire.FaultOf(err) != wire.Quarantine {
		t.Errorf("got %v and then %v, want the host in quarantine", wrong, err)
	}
}
