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
	list(f, &s.Failures, failures, MaxFailures, func(t *time.Time, f *fields) { f.time(t) })
	list(f, &s.Devices, devices, MaxDevices, (*Device).layout)
	sends := f.number(len(s.Sends))
	f.skip(62)
	list(f, &s.Sends, sends, MaxSends, (*Send).layout)
	s.Recovery.layout(f)
	s.Next.layout(f)
	s.Ticket.layout(f)
	s.Bypass.layout(f)
	s.layoutPendings(f)
	s.Refused.layout(f)
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
	f.skip(4)
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

// layoutPendings has no number before it: what is all zeros is none.
func (s *State) layoutPendings(f *fields) {
	if f.write {
		list(f, &s.Pendings, len(s.Pendings), MaxPendings, (*Pending).layout)
		return
	}
	var read []Pending
	list(f, &read, MaxPendings, MaxPendings, (*Pending).layout)
	for _, p := range read {
		if p != (Pending{}) {
			s.Pendings = append(s.Pendings, p)
		}
	}
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
	f.skip(4)
	f.time(&r.First)
	f.time(&r.Last)
	layoutAddress(&r.From, f)
}

// layoutAddress has the kind of the address before it: 0 none, 4 or 6.
func layoutAddress(a *netip.Addr, f *fields) {
	var kind byte
	var b [16]byte
	if a.IsValid() {
		kind, b = 6, a.As16()
	}
	if a.Is4() {
		kind = 4
	}
	f.uint8(&kind)
	f.skip(7)
	f.bytes(b[:])
	switch kind {
	case 4:
		*a = netip.AddrFrom16(b).Unmap()
	case 6:
		*a = netip.AddrFrom16(b)
	}
}
