package accounts_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func TestEverythingEnrollDoesComesToTheSameInAFleet(t *testing.T) {
	code := func(d record.Device) string { return testroot.Code(t, d, noon) }
	here, there := newFleet(t), newFleet(t)
	want := story(here.local(), here.clock, code)
	got := story(there.bastion(), there.clock, code)
	for i := range want {
		// the folder is another one
		want := strings.ReplaceAll(want[i], string(here.root), string(there.root))
		if i >= len(got) || got[i] != want {
			t.Errorf("step %d: got %q, want %q", i, got[min(i, len(got)-1)], want)
		}
	}
	for _, op := range accounts.Ops() {
		if !slices.Contains(there.heard, op) {
			t.Errorf("%s is no part of the story", op)
		}
	}
	if here.parts != there.parts || here.parts < 10 {
		t.Errorf("got %d parts in the fleet, want %d", there.parts, here.parts)
	}
}

func TestNoAnswerHoldsASecret(t *testing.T) {
	f := newFleet(t)
	app, codes := f.enrolled()
	phone := enrollment.NewPhone("mobile", "+15551234567", noon)
	code, bypass := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, f.root.Store().Add(root, alice, phone, 0))
	testroot.Must(t, f.root.Store().SetBypass(root, alice, bypass))
	r, _, err := f.local().View(alice)
	testroot.Must(t, err)
	b := f.bastion()
	_, st, err := b.View(alice)
	if err != nil || !factor.Live(st.Bypass, noon) {
		t.Errorf("got %+v, %v; want that there is a bypass code", st, err)
	}
	if _, _, err := b.Try(accounts.Try{User: alice, Code: testroot.Code(t, app, noon),
		Began: noon}); err != nil {
		t.Error(err)
	}
	secrets := [][]byte{app.Secret, phone.Secret, bypass.Salt[:], bypass.Hash[:],
		r.Recovery.Salt, []byte(code), []byte(codes[0])}
	for _, secret := range append(secrets, r.Recovery.Hashes...) {
		numbers, err := json.Marshal(slices.Collect(func(yield func(int) bool) {
			for _, b := range secret {
				if !yield(int(b)) {
					return
				}
			}
		}))
		testroot.Must(t, err)
		for _, form := range []string{string(secret), hex.EncodeToString(secret),
			base64.StdEncoding.EncodeToString(secret), strings.Trim(string(numbers), "[]")} {
			if bytes.Contains(f.said, []byte(form)) {
				t.Errorf("got the secret %q in an answer", form)
			}
		}
	}
	if shown, _ := b.Record(alice); shown.Find("mobile").Hint() != "...4567" {
		t.Errorf("got the hint %q, want the last digits", shown.Find("mobile").Hint())
	}
}

// The denied twins of TestEverythingEnrollDoesComesToTheSameInAFleet.
func TestHostsWithoutTheRoleAreRefusedAndChangeNothing(t *testing.T) {
	one := enrollment.Enrollment{Devices: []record.Device{testroot.TOTP("x")},
		Counters: []uint64{0}}
	device, once := testroot.TOTP("x"), state.OneTimeCode{Until: noon.Add(time.Hour)}
	ops := map[string]func(a accounts.Remote, p enrollment.Proof) error{
		"enroll.view": func(a accounts.Remote, _ enrollment.Proof) error {
			_, _, err := a.View(alice)
			return err
		},
		"enroll.names": func(a accounts.Remote, _ enrollment.Proof) error {
			_, err := a.Names()
			return err
		},
		"enroll.try": func(a accounts.Remote, _ enrollment.Proof) error {
			_, _, err := a.Try(accounts.Try{User: alice, Code: "000000"})
			return err
		},
		"enroll.try-ticket": func(a accounts.Remote, _ enrollment.Proof) error {
			_, _, err := a.TryTicket(accounts.Try{User: bob, Code: "abcde12345"})
			return err
		},
		"enroll.rules": func(a accounts.Remote, _ enrollment.Proof) error {
			_, err := a.NeedsTicket(false)
			return err
		},
		"enroll.send": func(a accounts.Remote, _ enrollment.Proof) error {
			_, err := a.Send(accounts.Sending{Phone: accounts.Phone{User: alice, Number: mobile}})
			return err
		},
		"enroll.judge": func(a accounts.Remote, _ enrollment.Proof) error {
			_, err := a.Judge(accounts.Answered{Phone: accounts.Phone{User: alice,
				Number: mobile}, Code: sentCode})
			return err
		},
		"enroll.add": func(a accounts.Remote, p enrollment.Proof) error {
			return a.Add(p, alice, device, 0)
		},
		"enroll.enroll": func(a accounts.Remote, p enrollment.Proof) error {
			return a.Enroll(p, bob, one)
		},
		"enroll.take-over": func(a accounts.Remote, p enrollment.Proof) error {
			_, err := a.TakeOver(p, alice, one, true)
			return err
		},
		"enroll.remove": func(a accounts.Remote, p enrollment.Proof) error {
			return a.Remove(p, alice, "phone")
		},
		"enroll.rename": func(a accounts.Remote, p enrollment.Proof) error {
			return a.Rename(p, alice, "phone", "x")
		},
		"enroll.exchange": func(a accounts.Remote, p enrollment.Proof) error {
			return a.Exchange(p, alice, enrollment.Exchange{})
		},
		"enroll.set-recovery": func(a accounts.Remote, p enrollment.Proof) error {
			return a.SetRecovery(p, alice, record.Recovery{})
		},
		"enroll.distrust": func(a accounts.Remote, p enrollment.Proof) error {
			_, err := a.Distrust(p, alice, accounts.Computers{All: true})
			return err
		},
		"enroll.reset": func(a accounts.Remote, p enrollment.Proof) error {
			return a.Reset(p, "alice")
		},
		"enroll.unlock": func(a accounts.Remote, p enrollment.Proof) error {
			_, err := a.Unlock(p, alice, three, noon)
			return err
		},
		"enroll.set-bypass": func(a accounts.Remote, p enrollment.Proof) error {
			return a.SetBypass(p, alice, once)
		},
		"enroll.set-ticket": func(a accounts.Remote, p enrollment.Proof) error {
			return a.SetTicket(p, bob, once)
		},
	}
	unproven := []string{"enroll.rules", "enroll.view", "enroll.try", "enroll.try-ticket",
		"enroll.send", "enroll.judge"}
	for _, op := range accounts.Ops() {
		if ops[op] == nil {
			t.Fatalf("%s has no test here", op)
		}
		f := newFleet(t)
		f.enrolled()
		record := testroot.Read(t, f.root.Record("alice"))
		st := testroot.Read(t, f.root.State("alice"))
		for who, c := range map[string]struct {
			caller accounts.Caller
			proof  enrollment.Proof
			free   bool // for some operations the role is enough
		}{
			"a host that only verifies": {accounts.Caller{Host: "web"}, root, false},
			"a host that has users enroll": {
				accounts.Caller{Host: "web", Enroll: true}, root, true},
			"an administrator's host, where a password was given": {
				accounts.Caller{Host: "web", Admin: true},
				enrollment.ByPassword(alice, noon, f.clock), true},
		} {
			err := ops[op](f.host(c.caller), c.proof)
			if c.free && slices.Contains(unproven, op) || op == "enroll.names" && c.caller.Admin {
				continue
			}
			if wire.FaultOf(err) != wire.Role {
				t.Errorf("%s by %s: got %v, want that the role is missing", op, who, err)
			}
		}
		if slices.Contains(unproven, op) {
			continue
		}
		if !bytes.Equal(record, testroot.Read(t, f.root.Record("alice"))) ||
			!bytes.Equal(st, testroot.Read(t, f.root.State("alice"))) {
			t.Errorf("%s: alice's files were changed", op)
		}
	}
}

func TestAHostsWordThatItSawThePasswordEnrollsOnlyWhereNoTicketIsNeeded(t *testing.T) {
	one := enrollment.Enrollment{Devices: []record.Device{testroot.TOTP("x")},
		Counters: []uint64{0}}
	f := newFleet(t)
	p := enrollment.ByPassword(bob, noon, f.clock)
	c := accounts.Caller{Host: "web", Enroll: true}
	if err := f.host(c).Enroll(p, bob, one); !errors.Is(err, enrollment.ErrRight) {
		t.Errorf("got %v, want %v", err, enrollment.ErrRight)
	}
	if needs, err := f.host(c).NeedsTicket(false); err != nil || !needs {
		t.Errorf("got %v, %v; want that a ticket is needed", needs, err)
	}
	c.NoTicket = true
	for _, own := range []bool{true, false} { // the host may be stricter
		if needs, err := f.host(c).NeedsTicket(own); err != nil || needs != own {
			t.Errorf("got %v, %v; want %v", needs, err, own)
		}
	}
	f.now = noon.Add(enrollment.ProofLife + time.Second)
	if err := f.host(c).Enroll(p, bob, one); !errors.Is(err, enrollment.ErrProof) {
		t.Errorf("late: got %v, want %v", err, enrollment.ErrProof)
	}
	f.now = noon
	if err := f.host(c).Enroll(p, bob, one); err != nil {
		t.Errorf("got %v, want bob enrolled", err)
	}
	if err := f.host(c).Add(p, bob, testroot.TOTP("y"), 0); !errors.Is(err,
		enrollment.ErrMeanwhile) {
		t.Errorf("a second device: got %v, want %v", err, enrollment.ErrMeanwhile)
	}
}

func TestTicketEnrollsItsUserOnce(t *testing.T) {
	f := newFleet(t)
	code, ticket := testroot.OneTimeCode(t, noon.Add(time.Hour))
	host := f.host(accounts.Caller{Host: "web", Enroll: true})
	testroot.Must(t, f.bastion().SetTicket(root, bob, ticket))
	one := enrollment.Enrollment{Devices: []record.Device{testroot.TOTP("x")},
		Counters: []uint64{0}}
	result, p, err := host.TryTicket(accounts.Try{User: bob, Code: "zzzzz99999", Began: noon})
	if err != nil || result != factor.Wrong || !errors.Is(host.Enroll(p, bob, one),
		enrollment.ErrRight) {
		t.Errorf("a wrong ticket: got %v, %v, or a right", result, err)
	}
	result, p, err = host.TryTicket(accounts.Try{User: bob, Code: code, Began: noon})
	if err != nil || result != factor.Accepted {
		t.Fatalf("got %v, %v; want the ticket accepted", result, err)
	}
	if err := host.Enroll(p, alice, one); !errors.Is(err, enrollment.ErrRight) {
		t.Errorf("for alice: got %v, want %v", err, enrollment.ErrRight)
	}
	if err := host.Enroll(p, bob, one); err != nil {
		t.Errorf("got %v, want bob enrolled", err)
	}
	testroot.Must(t, f.bastion().Reset(root, "bob"))
	if err := host.Enroll(p, bob, one); !errors.Is(err, enrollment.ErrTicket) {
		t.Errorf("again: got %v, want %v", err, enrollment.ErrTicket)
	}
}

// sealed is what the fleet gives a host that has had a code of alice's accepted.
func (f *fleet) sealed(host accounts.Remote, app record.Device) []byte {
	f.t.Helper()
	m, p, err := host.Try(accounts.Try{User: alice, Code: testroot.Code(f.t, app, f.now),
		Began: f.now})
	if err != nil || m.Result != factor.Accepted {
		f.t.Fatalf("got %+v, %v; want the code accepted", m, err)
	}
	return p.Right().Sealed
}

func TestSealedProofCountsForItsHostAndUserAndOnlyUnchanged(t *testing.T) {
	f := newFleet(t)
	app, _ := f.enrolled()
	testroot.Must(t, f.root.Store().Add(root, bob, testroot.TOTP("bobs"), 0))
	web := f.host(accounts.Caller{Host: "web", Enroll: true})
	sealed := f.sealed(web, app)
	refused := func(what string, a accounts.Remote, u record.User, sealed []byte) {
		t.Helper()
		err := a.Add(enrollment.BySealed(sealed), u, testroot.TOTP("thief"), 0)
		if !errors.Is(err, enrollment.ErrRight) {
			t.Errorf("%s: got %v, want %v", what, err, enrollment.ErrRight)
		}
	}
	for i := range sealed {
		changed := bytes.Clone(sealed)
		changed[i] ^= 1
		refused(fmt.Sprintf("byte %d changed", i), web, alice, changed)
	}
	refused("half", web, alice, sealed[:len(sealed)/2])
	refused("a mac alone", web, alice, sealed[:32])
	refused("more", web, alice, append(bytes.Clone(sealed), ' '))
	refused("for bob", web, bob, sealed)
	refused("by another host", f.host(accounts.Caller{Host: "web2", Enroll: true}), alice, sealed)
	f.now = noon.Add(enrollment.ProofLife + time.Second)
	late := web.Add(enrollment.BySealed(sealed), alice, testroot.TOTP("late"), 0)
	if !errors.Is(late, enrollment.ErrProof) {
		t.Errorf("late: got %v, want %v", late, enrollment.ErrProof)
	}
	f.now = noon
	if err := web.Add(enrollment.BySealed(sealed), alice, testroot.TOTP("tablet"), 0); err != nil {
		t.Errorf("got %v, want the device added", err)
	}
	if err := f.root.Store().Add(enrollment.BySealed(sealed), alice, testroot.TOTP("x"),
		0); !errors.Is(err, enrollment.ErrRight) {
		t.Errorf("on a single host: got %v, want %v", err, enrollment.ErrRight)
	}
}

func TestOnlyCodesAndTicketsCanBeSealed(t *testing.T) {
	f := newFleet(t)
	for name, p := range map[string]enrollment.Proof{
		"root": root, "nothing": {}, "a password": enrollment.ByPassword(alice, noon, f.clock),
	} {
		text, err := json.Marshal(p)
		testroot.Must(t, err)
		if got, err := enrollment.Unsealed(text, f.clock); !errors.Is(err, enrollment.ErrRight) ||
			got.Right().Root {
			t.Errorf("%s: got %+v, %v; want no right", name, got, err)
		}
	}
}

func TestErrorsKeepWhatCallersTellApart(t *testing.T) {
	f := newFleet(t)
	f.enrolled()
	testroot.Must(t, f.root.Store().Records.Remove("alice"))
	_, _, err := f.bastion().View(alice)
	if !errors.As(err, new(*factor.MissingError)) || !errors.Is(err, factor.ErrRecord) ||
		errors.Is(err, factor.ErrUnenrolled) || !strings.Contains(err.Error(), "is missing") {
		t.Errorf("got %v, want that the record is missing", err)
	}
	for _, c := range []struct{ err, matches error }{
		{fmt.Errorf("x: %w", state.ErrSave), state.ErrSave},
		{fmt.Errorf("x: %w", safefile.ErrBusy), safefile.ErrBusy},
		{enrollment.ErrHalf, enrollment.ErrHalf}, {fs.ErrNotExist, fs.ErrNotExist},
	} {
		got := accounts.Carried(c.err)
		if got.Error() != c.err.Error() || !errors.Is(got, c.matches) ||
			errors.Is(got, factor.ErrUnenrolled) {
			t.Errorf("got %v, want %v", got, c.err)
		}
	}
	if got := accounts.Carried(nil); got != nil {
		t.Errorf("got %v, want no error", got)
	}
}

func TestQuestionsThatEnrollDoesNotAskAreRefused(t *testing.T) {
	f := newFleet(t)
	all := accounts.Caller{Host: "web", Enroll: true, Admin: true}
	for _, c := range []struct{ op, body string }{
		{"enroll.everything", "{}"}, {"", "{}"}, {"enroll.view", ""}, {"enroll.view", "null x"},
		{"enroll.view", `{"rigth":{}}`}, {"enroll.view", "{}{}"}, {"enroll.view", "[]"},
		{"enroll.reset", `{"right":{"root":"yes"}}`},
	} {
		if a, err := accounts.Serve(f.local(), all, alice, c.op,
			[]byte(c.body)); wire.FaultOf(err) != wire.Protocol ||
			!reflect.DeepEqual(a, accounts.Reply{}) {
			t.Errorf("%s %s: got %v, %v; want it against the protocol", c.op, c.body, a, err)
		}
	}
	for _, op := range accounts.Ops() {
		if _, err := accounts.Serve(f.local(), all, alice, op,
			[]byte(`{"right":{"root":true}}`)); err != nil {
			t.Errorf("%s with nothing: got %v, want an answer", op, err)
		}
		if _, err := accounts.Serve(f.local(), accounts.Caller{}, alice, op,
			[]byte(`{"right":{"root":true}}`)); wire.FaultOf(err) != wire.Role {
			t.Errorf("%s by no host: got %v, want that the role is missing", op, err)
		}
	}
}

func TestNamesComeInPages(t *testing.T) {
	f := newFleet(t)
	store := f.root.Store()
	var want []string
	for n := range 90 {
		u := record.User{Name: fmt.Sprintf("%s%03d", strings.Repeat("x", 240), n), UID: uint32(n)}
		want = append(want, u.Name)
		d := testroot.TOTP("phone")
		testroot.Must(t, store.Enroll(root, u, enrollment.Enrollment{
			Devices: []record.Device{d}, Counters: []uint64{0}}))
	}
	got, err := f.bastion().Names()
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("got %d names, %v; want %d", len(got), err, len(want))
	}
	if pages := len(f.heard); pages < 2 {
		t.Errorf("got %d page, want more", pages)
	}
}

// A fleet's policy says where codes are sent, however lax a host's is.
func TestPhonesThatTheFleetSendsNoCodeToComeFromNoFile(t *testing.T) {
	off := phones
	off.Methods = nil
	for name, c := range map[string]struct {
		number string
		policy policy.Phone
		want   error
	}{
		"a number that is allowed":    {mobile, phones, nil},
		"a number of another country": {forbidden, phones, accounts.ErrCountry},
		"phones are off": {mobile, off,
			errors.New("phones are switched off in the fleet's policy")},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFleet(t)
			f.phones = c.policy
			phone := enrollment.NewPhone("mobile", c.number, noon)
			_, err := f.bastion().TakeOver(root, bob, enrollment.Enrollment{
				Devices: []record.Device{testroot.TOTP("app"), phone}, Counters: []uint64{0, 0}}, false)
			_, viewed := f.local().Record(bob)
			if fmt.Sprint(err) != fmt.Sprint(c.want) || (viewed == nil) != (c.want == nil) {
				t.Errorf("got %v, and of bob's record %v; want %v", err, viewed, c.want)
			}
		})
	}
}
