package factor_test

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// typed types one code as alice at noon plus after, from an address by a service.
func typed(t *testing.T, root testroot.Root, code string, after time.Duration) factor.Match {
	t.Helper()
	account := open(t, root)
	defer account.Close()
	m, err := account.Verify(factor.Guess{
		Code: code, At: noon.Add(after), Service: "sshd", From: netip.MustParseAddr("192.0.2.7"),
		Accepts: every,
	}, three)
	testroot.Must(t, err)
	return m
}

func states(t *testing.T, root testroot.Root) *state.State {
	t.Helper()
	st, err := root.Keyring().States.View("alice")
	testroot.Must(t, err)
	return st
}

// at is an attempt as typed makes one, with times as the state keeps them.
func at(after time.Duration, by method.Method, device state.DeviceID) state.Attempt {
	return state.Attempt{
		At: time.Unix(noon.Add(after).Unix(), 0), Service: "sshd",
		From:   netip.MustParseAddr("192.0.2.7"),
		Method: by, Device: device,
	}
}

func TestStateKeepsLastAcceptedAndLastRefusedAttempt(t *testing.T) {
	root, phone := testroot.New(t), testroot.TOTP("phone")
	root.Enroll(t, "alice", uid, phone)
	if st := states(t, root); st.Accepted != (state.Attempt{}) || st.Denied != (state.Attempt{}) {
		t.Errorf("got %+v and %+v before any attempt", st.Accepted, st.Denied)
	}
	typed(t, root, testroot.WrongCode(t, noon, phone), 0)
	typed(t, root, testroot.Code(t, phone, noon.Add(time.Minute)), time.Minute)
	// used before: no guess
	typed(t, root, testroot.Code(t, phone, noon.Add(time.Minute)), 70*time.Second)
	st, right, wrong := states(t, root), at(time.Minute, method.TOTP, phone.ID), at(0, "",
		state.DeviceID{})
	if st.Accepted != right || st.Denied != wrong {
		t.Errorf("got accepted %+v and refused %+v, want %+v and %+v", st.Accepted, st.Denied,
			right, wrong)
	}
}

func TestStateKeepsLastEightNetworks(t *testing.T) {
	var st state.State
	come := func(from string, after int) {
		factor.LetIn(&st, state.Attempt{At: noon.Add(time.Duration(after) * time.Minute),
			From: netip.MustParseAddr(from)})
	}
	for i := range 8 {
		come(fmt.Sprintf("192.0.%d.7", i), i)
	}
	come("192.0.0.9", 8) // seen again: it is not the oldest any longer
	come("198.51.100.7", 9)
	var got string
	for _, n := range st.Networks {
		got += n.Prefix.String() + " "
	}
	want := "192.0.2.0/24 192.0.3.0/24 192.0.4.0/24 192.0.5.0/24 192.0.6.0/24 192.0.7.0/24 " +
		"192.0.0.0/24 198.51.100.0/24 "
	if got != want {
		t.Errorf("got networks %s, want %s", got, want)
	}
}
