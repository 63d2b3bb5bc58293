package service_test

import (
	"encoding/json"
	"sync"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/limit"
	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) { testfleet.Main(m) }

var phone = testroot.TOTP("phone")

// site is a fleet with alice, who has an app, and hosts that verify.
type site struct {
	*testfleet.Fleet
	testing.TB
	web1, web2 *testfleet.Host
}

// newSite is a fleet with n services.
func newSite(t testing.TB, n int, change ...func(*testfleet.Fleet)) *site {
	t.Helper()
	return over(t, testfleet.Shared(t, ""), n, change...)
}

func over(t testing.TB, f *testfleet.Fleet, n int, change ...func(*testfleet.Fleet)) *site {
	t.Helper()
	s := &site{Fleet: f, TB: t}
	for _, c := range change {
		c(s.Fleet)
	}
	s.Start(t, n)
	s.Enroll(t, "alice", phone)
	s.web1, s.web2 = s.Host(t, "web1", hosts.Verify), s.Host(t, "web2", hosts.Verify)
	return s
}

// code is the one that alice's app shows now.
func (s *site) code() string { return testroot.Code(s, phone, s.Clock()) }

// guess asks a host whether a code is right.
func (s *site) guess(h *testfleet.Host, user, code string) wire.Answer {
	s.Helper()
	q, body := testfleet.Guess(user, code)
	return h.Must(s, q, body)
}

// accepts demands a result.
func (s *site) result(h *testfleet.Host, user, code string, want authority.Result) {
	s.Helper()
	a := s.guess(h, user, code)
	if a.Fault != wire.Done {
		s.Errorf("%s, %s: got fault %s (%s), want %s", h.Name, user, a.Fault, a.Text, want)
	} else if got := testfleet.Guessed(s, a); got.Result != want {
		s.Errorf("%s, %s: got %s, want %s", h.Name, user, got.Result, want)
	}
}

// refused demands a fault.
func (s *site) refused(h *testfleet.Host, user, code string, want wire.Fault) {
	s.Helper()
	if a := s.guess(h, user, code); a.Fault != want {
		s.Errorf("%s, %s: got fault %q (%s), %s, want %s", h.Name, user, a.Fault, a.Text, a.Body,
			want)
	}
}

// wrong are n different wrong codes.
func (s *site) wrong(n int) []string { return testroot.WrongCodes(s, n, s.Clock(), phone) }

// atOnce asks all questions at the same time, each service in turn.
func (s *site) atOnce(from func(i int) *testfleet.Host, user string,
	codes []string) []wire.Answer {
	s.Helper()
	answers := make([]wire.Answer, len(codes))
	var all sync.WaitGroup
	for i, code := range codes {
		h := from(i)
		q, body := testfleet.Guess(user, code)
		sealed := h.Seal(s, q, body)
		all.Go(func() {
			var err error
			answers[i], err = h.Ask(s, s.Services[i%len(s.Services)].Addr(), sealed)
			if err != nil {
				s.Error(err)
			}
		})
	}
	all.Wait()
	return answers
}

// count says how often there was each result or fault.
func (s *site) count(answers []wire.Answer) map[string]int {
	s.Helper()
	got := map[string]int{}
	for _, a := range answers {
		if a.Fault != wire.Done {
			got["fault "+string(a.Fault)]++
		} else {
			got[string(testfleet.Guessed(s, a).Result)]++
		}
	}
	return got
}

func TestACodeIsAcceptedOnceInTheWholeFleet(t *testing.T) {
	s := newSite(t, 3)
	code := s.code()
	s.result(s.web1, "alice", code, authority.Accepted)
	s.result(s.web2, "alice", code, authority.Replayed)
}

func TestOneOfManyEqualCodesAtOnceIsAccepted(t *testing.T) {
	s := newSite(t, 3)
	codes := make([]string, 48)
	for i := range codes {
		codes[i] = s.code()
	}
	both := func(i int) *testfleet.Host { return []*testfleet.Host{s.web1, s.web2}[i%2] }
	got := s.count(s.atOnce(both, "alice", codes))
	if got["accepted"] != 1 || got["replayed"] != len(codes)-1 {
		t.Errorf("got %v; want one accepted and the others replayed", got)
	}
}

// FAULTS 22
func TestOfFourHundredWrongCodesAtOnceTenAreComparedThenAllHostsAreLocked(t *testing.T) {
	s := newSite(t, 3)
	both := func(i int) *testfleet.Host { return []*testfleet.Host{s.web1, s.web2}[i%2] }
	got := s.count(s.atOnce(both, "alice", s.wrong(400)))
	if got["wrong"] != 10 || got["locked"] != 390 {
		t.Errorf("got %v; want 10 wrong, the others locked", got)
	}
	if st := s.State(t, "alice"); st.Refused.Count != 10 {
		t.Errorf("got %d charged, want 10", st.Refused.Count)
	}
	s.result(s.web1, "alice", s.code(), authority.Locked)
	s.result(s.web2, "alice", s.code(), authority.Locked)
}

func TestUsersOfOneHostAtOnceDoNotDisturbEachOther(t *testing.T) {
	s := newSite(t, 3)
	var all sync.WaitGroup
	for i := range 30 {
		name := "user" + string(rune('a'+i))
		s.Enroll(t, name, phone)
		all.Go(func() {
			s.result(s.web1, name, s.wrong(1)[0], authority.Wrong)
			s.result(s.web1, name, s.code(), authority.Accepted)
		})
	}
	all.Wait()
}

func limits(codes, users int) func(*testfleet.Fleet) {
	return func(f *testfleet.Fleet) {
		f.Limits = hosts.Limits{Failures: limit.Rate{Count: codes, Window: 10 * time.Minute},
			Users: users, Lasts: time.Hour}
	}
}

func TestHostWithTooManyWrongCodesIsInQuarantineUntilItsEndOrRelease(t *testing.T) {
	s := newSite(t, 2, limits(5, 1000))
	for _, code := range s.wrong(5) {
		s.result(s.web1, "alice", code, authority.Wrong)
	}
	s.refused(s.web1, "alice", s.code(), wire.Quarantine)
	s.result(s.web2, "alice", s.code(), authority.Accepted)
	testroot.Must(t, s.Admin.Release(testfleet.Context(t), "web1"))
	s.result(s.web1, "alice", s.code(), authority.Replayed)
}

func TestHostWhereTooManyUsersFailIsInQuarantine(t *testing.T) {
	s := newSite(t, 1, limits(1000, 3))
	for _, name := range []string{"bob", "carol", "dave"} {
		s.Enroll(t, name, phone)
		s.result(s.web1, name, s.wrong(1)[0], authority.Wrong)
	}
	s.refused(s.web1, "alice", s.code(), wire.Quarantine)
	all, err := s.Admin.Hosts(testfleet.Context(t))
	if err != nil || all[0].Quarantine.IsZero() || !all[1].Quarantine.IsZero() {
		t.Errorf("got hosts %+v, %v; want web1 in quarantine", all, err)
	}
}

func TestRightAndReplayedCodesDoNotCountAgainstTheHost(t *testing.T) {
	s := newSite(t, 1, limits(2, 2))
	code := s.code()
	s.result(s.web1, "alice", code, authority.Accepted)
	for range 4 {
		s.result(s.web1, "alice", code, authority.Replayed)
	}
}

func TestRevokedHostIsRefusedAtItsNextQuestion(t *testing.T) {
	s := newSite(t, 2)
	s.result(s.web1, "alice", s.wrong(1)[0], authority.Wrong)
	testroot.Must(t, s.Admin.Revoke(testfleet.Context(t), "web1"))
	s.refused(s.web1, "alice", s.code(), wire.Revoked)
	s.result(s.web2, "alice", s.code(), authority.Accepted)
}

func TestQuestionThatAnotherHostSignedIsRefused(t *testing.T) {
	s := newSite(t, 1)
	thief := *s.web2
	thief.Name = "web1"
	s.refused(&thief, "alice", s.code(), wire.Revoked)
	unknown := *s.web2
	unknown.Name = "web3"
	s.refused(&unknown, "alice", s.code(), wire.Revoked)
	s.result(s.web1, "alice", s.code(), authority.Accepted)
}

func TestHostWithoutTheRoleIsRefused(t *testing.T) {
	s := newSite(t, 1)
	s.refused(s.Host(t, "bastion", hosts.Enroll, hosts.Admin), "alice", s.code(), wire.Role)
	s.refused(s.Host(t, "none"), "alice", s.code(), wire.Role)
}

// Roles change without the host's doing anything, in both directions.
func TestRolesOfAHostCountFromItsNextQuestionOn(t *testing.T) {
	s := newSite(t, 2)
	bastion := s.Host(t, "bastion", hosts.Enroll)
	s.refused(bastion, "alice", s.code(), wire.Role)
	give := func(roles ...hosts.Role) {
		t.Helper()
		testroot.Must(t, s.Admin.GiveRoles(testfleet.Context(t), "bastion", roles))
	}
	give(hosts.Verify, hosts.Admin)
	s.result(bastion, "alice", s.code(), authority.Accepted)
	give(hosts.Admin)
	s.refused(bastion, "alice", s.code(), wire.Role)
	testroot.Must(t, s.Admin.Revoke(testfleet.Context(t), "bastion"))
	if err := s.Admin.GiveRoles(testfleet.Context(t), "bastion", hosts.Roles); err == nil {
		t.Error("a host that was revoked has roles again")
	}
	s.refused(bastion, "alice", s.code(), wire.Revoked)
}

func TestQuestionFromAnotherTimeIsRefused(t *testing.T) {
	s := newSite(t, 1)
	for off, want := range map[time.Duration]wire.Fault{
		-35 * time.Second: wire.Clock, 35 * time.Second: wire.Clock, -20 * time.Second: "",
	} {
		q, body := testfleet.Guess("alice", s.wrong(1)[0])
		q.At = s.Clock().Add(off)
		if a := s.web1.Must(t, q, body); a.Fault != want {
			t.Errorf("%s off: got %q, want %q", off, a.Fault, want)
		}
	}
}

// That sshd has accepted a key only the host says, and a public key is no secret. So it lets a user
// in on that host, and makes no wrong code forgotten on any.
func TestKeyThatAHostSaysWasAcceptedForgetsNoWrongCode(t *testing.T) {
	s := newSite(t, 2)
	own := testroot.SecurityKey(t, "yubikey")
	s.Enroll(t, "erin", phone, own)
	key, err := own.SSHKey()
	testroot.Must(t, err)
	for n, code := range s.wrong(3) {
		s.result(s.web2, "erin", code, authority.Wrong)
		q, guess := testfleet.Guess("erin", "")
		q.Op, guess.Login.Keys = "begin", []sshkey.Key{key}
		var b authority.Beginning
		a := s.web1.Must(t, q, guess.Login)
		testroot.Must(t, json.Unmarshal(a.Body, &b))
		st := s.State(t, "erin")
		if b.Result != authority.Accepted || st.Refused.Count != uint32(n+1) ||
			len(st.Failures) != n+1 {
			t.Errorf("got %s (%s), %d wrong in a row, %d in the window; want it accepted, and %d",
				b.Result, a.Text, st.Refused.Count, len(st.Failures), n+1)
		}
	}
	s.result(s.web1, "erin", s.code(), authority.Accepted)
	if st := s.State(t, "erin"); st.Refused.Count != 0 {
		t.Errorf("after a right code: got %d wrong in a row", st.Refused.Count)
	}
}

func TestUserOfAnotherSpellingIsAnotherUser(t *testing.T) {
	s := newSite(t, 1)
	for _, name := range []string{"Alice", "alice/record", "alice/state", "../alice", "al ice", ""} {
		if a := s.guess(s.web1, name, s.code()); a.Fault == wire.Done {
			t.Errorf("%q: got %s", name, a.Body)
		}
	}
	s.refused(s.web1, "bob", s.code(), "unenrolled")
}

func TestRecordsAreBoundToUIDsOnlyIfTheyAreTheSameEverywhere(t *testing.T) {
	s := newSite(t, 1)
	q, body := testfleet.Guess("alice", s.wrong(1)[0])
	q.UID = 4711
	if a := s.web1.Must(t, q, body); a.Fault != wire.Done {
		t.Errorf("another uid: got %s, %s", a.Fault, a.Text)
	}
}
