package service_test

import (
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/testroot"
)

func TestServiceWhoseClockIsFiveSecondsOffAnswersNothing(t *testing.T) {
	clock := &hands{}
	s := newSite(t, 2)
	s.Change = func(c *service.Config) { c.Store.Clock = clock.on(s.Clock) }
	clock.advance(3 * time.Second) // it looks 1 s more: the others write their time once a second
	s.Start(t, 1)
	ask := func() wire.Answer {
		return s.again(s.web1, 2, s.web1.Seal(t, wire.Question{Op: "codes", User: "alice"}, nil))
	}
	if a := ask(); a.Fault != wire.Done {
		t.Errorf("3 s off: got %q (%s)", a.Fault, a.Text)
	}
	clock.advance(3500 * time.Millisecond)
	s.until("6.5 s off", func() bool { return ask().Fault == wire.Clock })
	s.result(s.web1, "alice", s.code(), authority.Accepted) // by the others
}

// Two of three services see one whose clock is wrong, and answer all the same.
func TestOneWrongClockDoesNotStopTheOthers(t *testing.T) {
	clock := &hands{}
	s := newSite(t, 2)
	s.Change = func(c *service.Config) { c.Store.Clock = clock.on(s.Clock) }
	clock.advance(time.Minute)
	wrong := s.Restart(t, "mfa3", t.TempDir())
	s.until("a refusal of the third", func() bool {
		a, err := s.web1.Ask(t, wrong.Addr(), s.seal(s.web1, "alice", s.code()))
		return err == nil && a.Fault == wire.Clock
	})
	for i := range s.Services {
		// One that has not heard of the other for some seconds cannot know which clock is wrong.
		s.until("an answer of the others", func() bool {
			return s.again(s.web1, i, s.seal(s.web1, "alice", s.code())).Fault == wire.Done
		})
	}
}

// only has services reach one node.
func only(endpoint string) func(*service.Config) {
	return func(c *service.Config) {
		c.Store.Endpoints, c.Patience = []string{endpoint}, time.Second
	}
}

// The old leader, cut off from the others, still answers serializable reads, with what was true
// before. Nothing may be decided by that: neither what is written, nor what is only read.
func TestCutOffLeaderAsTheOnlyNodeDenies(t *testing.T) {
	s := over(t, testfleet.OfThree(t), 1)
	leader, err := s.Etcd.Leader()
	testroot.Must(t, err)
	s.Change = only(leader.Endpoint())
	s.Start(t, 1)
	leader.Isolate()
	defer leader.Join()
	app := s.code()
	s.result(s.web1, "alice", app, authority.Accepted) // by the majority, over all nodes
	testroot.Must(t, s.Admin.Revoke(testfleet.Context(t), "web2"))

	old, err := leader.UserCtl(testfleet.Context(t), "get", "--consistency=s",
		"/latchkey/1/user/alice/state")
	if err != nil || !strings.HasPrefix(old, "/latchkey/1/user/alice/state") {
		t.Errorf("a serializable read: got %q, %v; want the old state", old, err)
	}
	if a := s.again(s.web1, 1, s.seal(s.web1, "alice", app)); a.Fault != wire.Unknown {
		t.Errorf("a used code: got %q (%s) %s, want unknown", a.Fault, a.Text, a.Body)
	}
	asked := s.web2.Seal(t, wire.Question{Op: "codes", User: "alice"}, nil)
	if a := s.again(s.web2, 1, asked); a.Fault != wire.Unknown {
		t.Errorf("a revoked host: got %q (%s) %s, want unknown", a.Fault, a.Text, a.Body)
	}
}

func TestOneNodeThatIsKilledOrFrozenCostsNoLogin(t *testing.T) {
	s := over(t, testfleet.OfThree(t), 1)
	leader, err := s.Etcd.Leader()
	testroot.Must(t, err)
	testroot.Must(t, leader.Stop())
	s.result(s.web1, "alice", s.wrong(1)[0], authority.Wrong)
	testroot.Must(t, leader.Continue())
	testroot.Must(t, leader.Kill())
	s.result(s.web1, "alice", s.code(), authority.Accepted)
	s.result(s.web1, "alice", s.code(), authority.Replayed)
	testroot.Must(t, leader.Start())
}

// While etcd has no majority the answer is signed and says so: a host must not take it for a fleet
// that cannot be reached, which opens break-glass.
func TestWithoutAMajorityTheAnswerIsUnknownAlsoFromAServiceThatStartsThen(t *testing.T) {
	s := over(t, testfleet.OfThree(t), 1)
	s.Change = func(c *service.Config) { c.Patience = time.Second }
	s.Services[0] = s.restarted(0)
	testfleet.Answers(t, s.Services[0])
	for _, n := range s.Etcd.Nodes[:2] {
		testroot.Must(t, n.Stop())
	}
	defer func() {
		for _, n := range s.Etcd.Nodes[:2] {
			testroot.Must(t, n.Continue())
		}
	}()
	s.refused(s.web1, "alice", s.code(), wire.Unknown)
	s.Services[0] = s.restarted(0)
	s.refused(s.web1, "alice", s.code(), wire.Unknown)
}

// What someone without the fleet's secret writes into etcd is not believed.
func TestChangedOrMovedValuesAreRefused(t *testing.T) {
	s := newSite(t, 1)
	s.Enroll(t, "bob", testroot.TOTP("bob's"))
	ctl := func(args ...string) string {
		t.Helper()
		out, err := s.Etcd.Nodes[0].UserCtl(testfleet.Context(t), args...)
		testroot.Must(t, err)
		return out
	}
	state := func(name string) string { return "/latchkey/1/user/" + name + "/state" }
	ctl("put", state("alice"), "nonsense")
	s.refused(s.web1, "alice", s.code(), "state")
	ctl("del", state("alice"))
	s.refused(s.web1, "alice", s.code(), "state")
	ctl("put", "/latchkey/1/user/bob/record", "nonsense")
	s.refused(s.web1, "bob", s.code(), "record")
	ctl("del", "/latchkey/1/user/bob/record")
	s.refused(s.web1, "bob", s.code(), "record")
}
