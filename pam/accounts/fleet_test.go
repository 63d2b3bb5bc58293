package accounts_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/pam/accounts"
	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

var (
	alice = record.User{Name: "alice", UID: 1000}
	bob   = record.User{Name: "bob", UID: 1001}
	noon  = testroot.Noon
	three = limit.Guesses{Failures: limit.Rate{Count: 3, Window: 10 * time.Minute},
		Lock: 15 * time.Minute}
	root = enrollment.ByRoot()
)

// fleet is a service with its accounts, and what it has said to its hosts.
type fleet struct {
	t     *testing.T
	root  testroot.Root
	now   time.Time
	said  []byte
	heard []string
	parts int // of Send and Judge that were done at once

	phones policy.Phone
}

func newFleet(t *testing.T) *fleet {
	return &fleet{t: t, root: testroot.New(t), now: noon, phones: phones}
}

func (f *fleet) clock() time.Time { return f.now }

func (f *fleet) local() accounts.Local {
	return accounts.Local{Store: f.root.Store(), Clock: f.clock,
		Twilio: func() authority.Verifier { return twilio{} },
		Once: func(do func(enrollment.Store) error) error {
			f.parts++
			return do(f.root.Store())
		}}
}

// twilio is a Twilio Verify whose codes are all the same, and that sends none to a landline.
type twilio struct{}

const (
	sid       = "VE00000000000000000000000000000001"
	sentCode  = "424242"
	mobile    = "+15551234567"
	landline  = "+15550000000"
	forbidden = "+33123456789"
)

func (twilio) Ready() error { return nil }

func (twilio) Send(number string, channel method.Method, _ string) protocol.Answer {
	if number == landline && channel == method.SMS {
		return protocol.Answer{Version: protocol.Version, Result: protocol.Landline}
	}
	return protocol.Answer{Version: protocol.Version, Result: protocol.Sent, SID: sid}
}

func (twilio) Check(_, of, code string) protocol.Answer {
	a := protocol.Answer{Version: protocol.Version, Result: protocol.Wrong, SID: of}
	if of == sid && code == sentCode {
		a.Result = protocol.Approved
	}
	return a
}

// phones is the policy of codes by phone.
var phones = policy.Phone{Methods: []method.Method{method.SMS, method.Call},
	Prefixes: []string{"+1"}, Sends: limit.Sends{User: limit.Rate{Count: 9, Window: time.Hour},
		Host: limit.Rate{Count: 9, Window: time.Hour}}}

// host is one of the fleet, whose questions and answers are those that a wire would carry.
func (f *fleet) host(c accounts.Caller) accounts.Remote {
	c.Limits, c.Phone, c.Key = three, f.phones, []byte("the fleet's")
	return accounts.Remote{Clock: f.clock, Ask: func(op string, u record.User,
		body, answer any) error {
		sent, err := json.Marshal(body)
		testroot.Must(f.t, err)
		f.heard = append(f.heard, op)
		a, err := accounts.Serve(f.local(), c, u, op, sent)
		if err != nil {
			return err
		}
		text, err := json.Marshal(a)
		testroot.Must(f.t, err)
		f.said = append(f.said, text...)
		return json.Unmarshal(text, answer)
	}}
}

// bastion is a host that may do all.
func (f *fleet) bastion() accounts.Remote {
	return f.host(accounts.Caller{Host: "bastion", Enroll: true, Admin: true,
		NoTicket: true})
}

// enrolled gives alice an app and recovery codes.
func (f *fleet) enrolled() (app record.Device, codes []string) {
	f.t.Helper()
	app = testroot.TOTP("phone")
	codes, set, err := enrollment.NewRecovery()
	testroot.Must(f.t, err)
	testroot.Must(f.t, f.root.Store().Enroll(root, alice, enrollment.Enrollment{
		Devices: []record.Device{app}, Counters: []uint64{0}, Recovery: set}))
	return app, codes
}

// said is what one step of a story led to.
func said(what ...any) string { return fmt.Sprintf("%v", what) }

// byPhone is the part of the story in which codes are sent.
func byPhone(a accounts.Accounts, now func() time.Time) (all []string) {
	step := func(what ...any) { all = append(all, said(what...)) }
	send := func(to accounts.Phone, channel method.Method, atOnce bool) accounts.Sent {
		sent, err := a.Send(accounts.Sending{Phone: to, Channel: channel, Policy: phones,
			Limits: three, AtOnce: atOnce})
		step("send", sent.Unready, sent.Answer.Result, sent.Wait, err)
		return sent
	}
	judge := func(to accounts.Phone, code, sid string) enrollment.Proof {
		j, err := a.Judge(accounts.Answered{Phone: to, Code: code, SID: sid, Began: now(),
			Limits: three})
		step("judge", j.Match.Result, j.Answer.Result, j.Free, j.Standing, j.Enough,
			j.Match.Lockout, err)
		return j.Proof
	}
	claimed := accounts.Phone{User: alice, Number: mobile}
	got := send(claimed, method.SMS, false)
	send(claimed, method.SMS, false)
	step("a claim gives no right", a.Add(judge(claimed, "111111", got.Answer.SID), alice,
		testroot.TOTP("thief"), 0))
	step("a claim gives no right", a.Add(judge(claimed, sentCode, got.Answer.SID), alice,
		testroot.TOTP("thief"), 0))
	judge(claimed, sentCode, got.Answer.SID)
	send(accounts.Phone{User: alice, Number: forbidden}, method.SMS, false)
	fixed := enrollment.NewPhone("desk", landline, now())
	fixed.ID = [8]byte{7}
	step("add phone", a.Add(root, alice, fixed, 0))
	desk := accounts.Phone{User: alice, Device: fixed.ID}
	send(desk, method.SMS, false)
	send(desk, method.Call, true)
	judge(desk, "111111", "")
	p := judge(desk, sentCode, "")
	judge(desk, sentCode, "")
	step("by a phone", a.Rename(p, alice, "desk", "office"), a.Remove(p, alice, "office"))
	send(accounts.Phone{User: alice, Device: testroot.TOTP("new").ID}, method.SMS, false)
	judge(accounts.Phone{User: bob, Device: fixed.ID}, sentCode, "")
	return all
}

// takenOver is the part of the story in which users come from another second factor's files.
func takenOver(a accounts.Accounts) (all []string) {
	app, sent := testroot.TOTP("google"), enrollment.NewPhone("mobile", mobile, noon)
	token := enrollment.NewHOTP("token", []byte("a secret of a token's"), "SHA1", 6, noon)
	app.Secret = []byte("a secret of another module's")
	file := func(counter uint64, codes string, devices ...record.Device) enrollment.Enrollment {
		e := enrollment.Enrollment{Devices: devices,
			Recovery: enrollment.ImportedRecovery(strings.Fields(codes))}
		for range devices {
			e.Counters = append(e.Counters, counter)
		}
		return e
	}
	for _, c := range []struct {
		p       enrollment.Proof
		u       record.User
		e       enrollment.Enrollment
		replace bool
	}{
		{root, bob, file(7, "12345678 23456789", app, token), false},
		{root, bob, file(7, "12345678 23456789", app, token), false},
		{root, bob, file(7, "12345678 23456789", app, token), true},
		{root, bob, file(9, "12345678", app), false},
		{root, bob, file(3, "12345678", app), true},
		{root, bob, file(0, "", testroot.TOTP("other")), false},
		{root, bob, file(0, "", sent), true},
		{root, bob, file(0, "1", app), true},
		{root, alice, file(0, "", app), false},
		{root, record.User{Name: "../bob"}, file(0, "", app), false},
		{enrollment.Proof{}, bob, file(0, "", app), true},
	} {
		became, err := a.TakeOver(c.p, c.u, c.e, c.replace)
		r, st, viewed := a.View(bob)
		all = append(all, said("take over", became, err, viewed))
		if viewed == nil {
			all = append(all, said(len(r.Devices), r.Recovery.Len(), st.Devices[0].Counter,
				st.Recovery.Used))
		}
	}
	return all
}

// story does all that enroll does, and says what came of it.
func story(a accounts.Accounts, now func() time.Time, code func(record.Device) string) (
	all []string) {
	phone, tablet := testroot.TOTP("phone"), testroot.TOTP("tablet")
	step := func(what ...any) { all = append(all, said(what...)) }
	try := func(code string) enrollment.Proof {
		m, p, err := a.Try(accounts.Try{User: alice, Code: code, Began: now(), Limits: three})
		label := ""
		if m.Device != nil {
			label = m.Device.Label
		}
		step("try", m.Result, m.Method, label, m.Lockout, err)
		return p
	}
	view := func() {
		r, st, err := a.View(alice)
		step("view", err)
		if err == nil {
			step(r.Name, r.UID, len(r.Devices), factor.RecoveryLeft(r, st), len(st.Failures))
		}
	}
	view()
	needs, err := a.NeedsTicket(false)
	step("needs a ticket", needs, err)
	ticket := state.OneTimeCode{Until: now().Add(time.Hour)}
	step("ticket", a.SetTicket(root, alice, ticket))
	result, _, err := a.TryTicket(accounts.Try{User: alice, Code: "abcde12345", Began: now(),
		Limits: three})
	step("try ticket", result, err)
	step("enroll by nothing", a.Enroll(enrollment.Proof{}, alice, enrollment.Enrollment{
		Devices: []record.Device{phone}, Counters: []uint64{0}}))
	step("add", a.Add(root, alice, phone, 0))
	step("twice", a.Add(root, alice, phone, 0))
	step("again", a.Enroll(root, alice, enrollment.Enrollment{Devices: []record.Device{phone},
		Counters: []uint64{0}}))
	step("last", a.Remove(root, alice, "phone"))
	step("absent", a.Remove(root, alice, "watch"))
	p := try(code(phone))
	try(code(phone))
	step("add by code", a.Add(p, alice, tablet, 0))
	step("itself", a.Remove(p, alice, "phone"))
	step("rename", a.Rename(p, alice, "tablet", "watch"))
	_, set, _ := enrollment.NewRecovery()
	step("codes", a.SetRecovery(p, alice, set))
	view()
	tablet.Label, tablet.ID, tablet.Secret = "new", [8]byte{9}, []byte("12345678901234567890")
	step("exchange", a.Exchange(p, alice, enrollment.Exchange{Old: phone.ID, New: tablet,
		Recovery: set}))
	step("gone", a.Add(p, alice, phone, 0))
	for range 4 {
		try("000000")
	}
	was, err := a.Unlock(root, alice, three, now())
	step("unlock", was, err)
	step("bypass", a.SetBypass(root, alice, ticket), a.SetBypass(root, bob, ticket))
	trusts, err := a.Distrust(root, alice, accounts.Computers{All: true})
	step("distrust", trusts, err)
	all = append(all, byPhone(a, now)...)
	all = append(all, takenOver(a)...)
	names, err := a.Names()
	step("names", names, err)
	step("by a user", a.Reset(p, "alice"))
	step("reset", a.Reset(root, "alice"), a.Reset(root, "alice"), a.Reset(root, "../alice"))
	view()
	return all
}
