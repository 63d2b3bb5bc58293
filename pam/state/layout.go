package state

import (
	"net/netip"
	"strings"
	"time"
)

// layout goes through the fields of a state as FORMAT.md lists them, from the uid on.
func (s *State) layout(f *fields) {
	failures := f.number(len(s.Failures))
	f.uint32(&s.UID)
	f.uint64(&s.sequence)
	f.bytes(s.Enrollment[:])
	f.time(&s.Locked)
	devices := f.number(len(s.Devices))
	f.skip(6)
	list(f, &s.Failures, failures, MaxFailures, 8, func(t *time.Time, f *fields) { f.time(t) })
	list(f, &s.Devices, devices, MaxDevices, 32, (*Device).layout)
	sends := f.number(len(s.Sends))
	f.skip(6)
	list(f, &s.Sends, sends, MaxSends, 12, (*Send).layout)
	s.Recovery.layout(f)
	s.Next.layout(f)
	s.Ticket.layout(f)
	s.Bypass.layout(f)
	sparse(f, &s.Pendings, MaxPendings, 64, (*Pending).layout)
	s.Refused.layout(f)
	sparse(f, &s.Trusts, MaxTrusts, 48, (*Trust).layout)
	f.time(&s.Clock)
	s.Accepted.layout(f)
	s.Denied.layout(f)
	sparse(f, &s.Networks, MaxNetworks, 12, (*Network).layout)
}

func (d *Device) layout(f *fields) {
	f.bytes(d.ID[:])
	f.uint64(&d.Counter)
	f.time(&d.Used)
	f.uint64(&d.Resync)
}

func (s *Send) layout(f *fields) {
	f.time(&s.At)
	f.uint32(&s.Count)
}

func (r *Recovery) layout(f *fields) {
	f.bytes(r.Set[:])
	f.uint64(&r.Used)
}

func (c *OneTimeCode) layout(f *fields) {
	f.time(&c.Until)
	f.bytes(c.Salt[:])
	f.bytes(c.Hash[:])
}

// The flags of a verification.
const (
	flagVoice = 1
	flagOver  = 2
)

func (p *Pending) layout(f *fields) {
	sid, flags := [maxSID]byte{}, byte(0)
	copy(sid[:], p.SID)
	if p.Voice {
		flags |= flagVoice
	}
	if p.Over {
		flags |= flagOver
	}
	f.bytes(p.Device[:])
	f.time(&p.At)
	f.bytes(sid[:])
	f.uint16(&p.Checks)
	f.uint16(&p.Sends)
	f.uint8(&flags)
	f.skip(3)
	p.SID, p.Voice, p.Over = text(sid[:]), flags&flagVoice != 0, flags&flagOver != 0
}

// text is what stands before the zeros that fill a field.
func text(b []byte) string { return strings.TrimRight(string(b), "\x00") }

func (r *Refused) layout(f *fields) {
	f.uint32(&r.Count)
	f.uint32(&r.Told)
	f.time(&r.First)
	f.time(&r.Last)
	layoutAddress(&r.From, f)
}

// layoutAddress has the kind of the address before it, and reserved bytes between the two.
func layoutAddress(a *netip.Addr, f *fields) {
	kind := kindOf(*a)
	f.uint8(&kind)
	f.skip(7)
	f.address(a, kind)
}

// The kinds of an address; 0 is none.
const (
	kindIPv4 = 4
	kindIPv6 = 6
)

func kindOf(a netip.Addr) byte {
	switch {
	case !a.IsValid():
		return 0
	case a.Is4():
		return kindIPv4
	}
	return kindIPv6
}
