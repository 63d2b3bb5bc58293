package breakglass_test

import (
	"errors"
	"fmt"
	"testing"

	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/field"
	"latchkey/pam/fleet/breakglass"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// said is an authority that says the same to every question, and notes what it was asked.
type said struct {
	begin authority.Beginning
	guess authority.Guessed
	err   error
	asked []string
	login authority.Login
}

func (s *said) note(what string) { s.asked = append(s.asked, what) }

func (s *said) Begin(l authority.Login) (authority.Beginning, error) {
	s.note("begin")
	s.login = l
	return s.begin, s.err
}

func (s *said) Guess(g authority.Guess) (authority.Guessed, error) {
	s.note("guess")
	s.login = g.Login
	return s.guess, s.err
}

func (s *said) Send(authority.Send) (authority.Sent, error) {
	s.note("send")
	return authority.Sent{OK: true}, s.err
}

func (s *said) Crowded(authority.Login) bool { s.note("crowded"); return false }

func (s *said) Trust(authority.Trust) error { s.note("trust"); return s.err }

func (s *said) Forget(record.User) error { s.note("forget"); return s.err }

func (s *said) Codes(record.User) (field.Codes, error) {
	s.note("codes")
	return field.Codes{}, s.err
}

// faults are all errors of a fleet, of an account and of neither.
func faults() map[string]error {
	all := map[string]error{"none": nil, "any": errors.New("any"),
		"unenrolled": factor.ErrUnenrolled, "record": factor.ErrRecord, "state": factor.ErrState,
		"config": authority.ErrConfig, "its word": errors.New("unreachable: x")}
	for _, f := range []wire.Fault{wire.Revoked, wire.Quarantine, wire.Role, wire.Unknown,
		wire.Protocol, wire.Clock, wire.Rollback, wire.Quota, wire.Epoch, wire.Internal,
		wire.Unreachable, wire.Forged, wire.Done, "UNREACHABLE", "moon"} {
		all["fault "+string(f)] = wire.Errorf(f, "x")
	}
	return all
}

var login = authority.Login{
	User: record.User{Name: "alice", UID: 7}, Methods: []method.Method{method.TOTP},
	Service: "sshd", Terms: "x",
}

// Every error of a fleet, for a user who may break the glass and one who may not.
func TestGlassBreaksForNoErrorButOneAndForNoUserButTheNamed(t *testing.T) {
	for name, err := range faults() {
		for _, may := range []bool{false, true} {
			fleet := &said{err: err, begin: authority.Beginning{Match: authority.Match{
				Result: "fleet's"}}}
			own := &said{begin: authority.Beginning{Match: authority.Match{
				Result: authority.Ask}}}
			a := &breakglass.Authority{Fleet: fleet, Own: own,
				May: func(user string) bool { return may && user == "alice" }}
			b, got := a.Begin(login)
			breaks := may && name == "fault unreachable"
			if b.Offline != breaks || (len(own.asked) > 0) != breaks {
				t.Errorf("%s, may %v: got %+v after %q", name, may, b, own.asked)
			}
			if !breaks && (got != err || b.Result != "fleet's") {
				t.Errorf("%s, may %v: got %+v, %v; want the fleet's answer", name, may, b, got)
			}
			a.Guess(authority.Guess{Login: login})
			if last := fleet.asked[len(fleet.asked)-1]; (last == "begin") != breaks {
				t.Errorf("%s, may %v: got the guess asked of the other", name, may)
			}
		}
	}
}

func TestBrokenGlassAsksForRecoveryCodesOfTheHostAlone(t *testing.T) {
	fleet := &said{err: wire.Errorf(wire.Unreachable, "x")}
	own := &said{begin: authority.Beginning{Match: authority.Match{Result: authority.Ask}}}
	a := &breakglass.Authority{Fleet: fleet, Own: own, May: func(string) bool { return true }}
	if b, err := a.Begin(login); err != nil || !b.Offline {
		t.Fatalf("got %+v, %v", b, err)
	}
	want := authority.Login{User: login.User, Service: "sshd",
		Methods: []method.Method{method.Recovery}}
	for range 2 {
		if got := fmt.Sprintf("%+v", own.login); got != fmt.Sprintf("%+v", want) {
			t.Errorf("got %s, want %+v", got, want)
		}
		a.Guess(authority.Guess{Login: login, Code: "x", Channels: login.Methods})
	}
	if sent, err := a.Send(authority.Send{Login: login}); sent.OK || err != nil {
		t.Errorf("got %+v, %v", sent, err)
	}
	if !a.Crowded(login) || a.Trust(authority.Trust{Login: login}) == nil {
		t.Error("got a computer trusted while the fleet cannot be reached")
	}
	own.err = errors.New("damaged")
	if g, err := a.Guess(authority.Guess{Login: login}); err == nil || g.Result != "" {
		t.Errorf("got %+v, %v", g, err)
	}
}

func TestFleetIsUnreachableWhereTheHostHasNoCodes(t *testing.T) {
	for name, own := range map[string]*said{
		"none were made": {err: factor.ErrUnenrolled},
		"damaged":        {err: factor.ErrState},
		"all were used": {begin: authority.Beginning{Match: authority.Match{
			Result: authority.Nothing}}},
	} {
		a := &breakglass.Authority{Fleet: &said{err: wire.Errorf(wire.Unreachable, "x")},
			Own: own, May: func(string) bool { return true }}
		if b, err := a.Begin(login); b.Offline || wire.FaultOf(err) != wire.Unreachable {
			t.Errorf("%s: got %+v, %v", name, b, err)
		}
	}
}
