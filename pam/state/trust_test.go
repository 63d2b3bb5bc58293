package state_test

import (
	"net/netip"
	"testing"
	"time"

	"latchkey/pam/state"
)

func TestTrustLastsItsDays(t *testing.T) {
	since := time.Unix(1800000000, 0)
	for days, want := range map[uint16]time.Time{
		0: since, 1: since.Add(24 * time.Hour), 30: since.Add(720 * time.Hour),
	} {
		if got := (state.Trust{Since: since, Days: days}).Until(); !got.Equal(want) {
			t.Errorf("%d days: got until %v, want %v", days, got, want)
		}
	}
}

func TestClockThatGoesBackALittleEndsNoTrust(t *testing.T) {
	seen := time.Unix(1800000000, 0)
	for back, want := range map[time.Duration]bool{
		-time.Hour: false, 0: false, state.ClockSlack: false, state.ClockSlack + 1: true,
	} {
		s := state.State{Clock: seen, Trusts: make([]state.Trust, 1)}
		now := seen.Add(-back)
		if got := s.SetBack(now); got != want {
			t.Errorf("back by %v: got %v, want %v", back, got, want)
		}
		s.See(now)
		clock := seen
		if want || now.After(seen) {
			clock = now
		}
		if !s.Clock.Equal(clock) || (len(s.Trusts) == 0) != want {
			t.Errorf("back by %v: got %v and %d trusts, want %v", back, s.Clock, len(s.Trusts),
				clock)
		}
	}
}

func TestNetworkOfAnAddress(t *testing.T) {
	for address, want := range map[string]string{
		"192.0.2.7": "192.0.2.0/24", "::ffff:192.0.2.7": "192.0.2.0/24",
		"2001:db8:1:2:3::4": "2001:db8:1:2::/64", "fe80::1%eth0": "fe80::/64",
	} {
		if got := state.NetworkOf(netip.MustParseAddr(address)).String(); got != want {
			t.Errorf("%s: got %s, want %s", address, got, want)
		}
	}
	if got := state.NetworkOf(netip.Addr{}); got.IsValid() {
		t.Errorf("got %v of no address", got)
	}
}

func TestDeviceIsFoundByItsID(t *testing.T) {
	s := state.State{Devices: []state.Device{{ID: state.DeviceID{1}}, {ID: state.DeviceID{2}}}}
	if got := s.Device(state.DeviceID{2}); got != &s.Devices[1] {
		t.Errorf("got %+v, want the second", got)
	}
	if got := s.Device(state.DeviceID{3}); got != nil {
		t.Errorf("got %+v, want none", got)
	}
}
