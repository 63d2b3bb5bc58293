package service_test

import (
	"sync"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/testroot"
)

func TestACodeIsAcceptedOnceInTheWholeFleet(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 3)
	phone := testroot.TOTP("phone")
	f.Enroll(t, "alice", phone)
	a, b := f.Host(t, "web1", hosts.Verify), f.Host(t, "web2", hosts.Verify)
	now := time.Now()
	q, body := testfleet.Guess("alice", testroot.Code(t, phone, now))
	if g := testfleet.Guessed(t, a.Must(t, q, body)); g.Result != authority.Accepted {
		t.Errorf("on the first host: got %+v", g)
	}
	if g := testfleet.Guessed(t, b.Must(t, q, body)); g.Result != authority.Replayed {
		t.Errorf("on the second host: got %+v", g)
	}
}

func TestOneOfManyEqualCodesAtOnceIsAccepted(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 3)
	phone := testroot.TOTP("phone")
	f.Enroll(t, "alice", phone)
	h := f.Host(t, "web1", hosts.Verify)
	q, body := testfleet.Guess("alice", testroot.Code(t, phone, time.Now()))
	results := make([]wire.Answer, 24)
	var all sync.WaitGroup
	for i := range results {
		sealed := h.Seal(t, q, body)
		all.Go(func() {
			var err error
			if results[i], err = h.Ask(t, f.Services[i%3].Addr(), sealed); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	got := map[authority.Result]int{}
	for _, a := range results {
		got[testfleet.Guessed(t, a).Result]++
	}
	if got[authority.Accepted] != 1 || got[authority.Replayed] != len(results)-1 {
		t.Errorf("got %v; want one accepted", got)
	}
}
