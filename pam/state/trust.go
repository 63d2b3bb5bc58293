package state

import (
	"net/netip"
	"time"

	"latchkey/pam/state/fixed"
)

// Trust is a computer that needs no code for a while. The zero value is none.
type Trust struct {
	// Key is the beginning of the SHA-256 of the SSH key that the computer uses; zero: any key, or
	// none, will do.
	Key [16]byte
	// From is the address from which it was given; the first 64 bits of one in IPv6. The zero
	// Addr: not from a literal address.
	From netip.Addr
	// Anywhere: the computer may come from another address than From.
	Anywhere bool
	Since    time.Time
	Days     uint16
	// Service is the first byte of the SHA-256 of the service's name: enough to see which trust is
	// renewed.
	Service byte
	// Tag is a keyed hash of all this, of whose it is, and of what it was given under.
	Tag [8]byte
}

// Until is when it ends.
func (t Trust) Until() time.Time { return t.Since.Add(time.Duration(t.Days) * 24 * time.Hour) }

// ClockSlack is by how much a clock may go back, and still be a clock that was only corrected.
const ClockSlack = 5 * time.Minute

// SetBack reports whether the clock was set back since the state was saved last: then no one knows
// how long a trust has lasted.
func (s *State) SetBack(now time.Time) bool { return now.Before(s.Clock.Add(-ClockSlack)) }

// See notes the time. If the clock was set back, what was trusted is forgotten, and time begins
// again.
func (s *State) See(now time.Time) {
	if s.SetBack(now) {
		s.Trusts, s.Clock = nil, now
	}
	if now.After(s.Clock) {
		s.Clock = now
	}
}

// flagAnywhere is the one flag of a trust.
const flagAnywhere = 1

func (t *Trust) layout(f *fixed.Fields) {
	var flags byte
	if t.Anywhere {
		flags |= flagAnywhere
	}
	f.Bytes(t.Key[:])
	f.Mapped(&t.From)
	f.ShortTime(&t.Since)
	f.Uint16(&t.Days)
	f.Uint8(&flags)
	f.Uint8(&t.Service)
	f.Bytes(t.Tag[:])
	t.Anywhere = flags&flagAnywhere != 0
}

// Network is one that a user came from: the /24 of an IPv4 address, the /64 of one in IPv6.
type Network struct {
	Prefix netip.Prefix
	Seen   time.Time // last
}

// Same reports whether both are one network, seen when they may.
func (n Network) Same(other Network) bool { return n.Prefix == other.Prefix }

// NetworkOf is the network of an address. It is not valid if the address is not.
func NetworkOf(a netip.Addr) netip.Prefix {
	bits := 64
	if a = a.Unmap().WithZone(""); a.Is4() {
		bits = 24
	}
	prefix, _ := a.Prefix(bits)
	return prefix
}

// layout has the first 8 bytes of an IPv6 address, or for IPv4 the bytes 0, 0, 0, 4, three of the
// address and a 0, with which no IPv6 address that is in use begins.
func (n *Network) layout(f *fixed.Fields) {
	var b [8]byte
	if a := n.Prefix.Addr(); a.Is4() {
		v4 := a.As4()
		b = [8]byte{3: fixed.IPv4, 4: v4[0], 5: v4[1], 6: v4[2]}
	} else if a.IsValid() {
		v6 := a.As16()
		b = [8]byte(v6[:])
	}
	f.Bytes(b[:])
	f.ShortTime(&n.Seen)
	switch {
	case n.Seen.IsZero() && b == [8]byte{}:
	case [4]byte(b[:]) == [4]byte{3: fixed.IPv4} && b[7] == 0:
		n.Prefix = NetworkOf(netip.AddrFrom4([4]byte(b[4:])))
	default:
		var v6 [16]byte
		copy(v6[:], b[:])
		n.Prefix = netip.PrefixFrom(netip.AddrFrom16(v6), 64)
	}
}
