package state

import (
	"time"

	"latchkey/pam/state/fixed"
)

// layout goes through the fields of a state as FORMAT.md lists them, from the uid on.
func (s *State) layout(f *fixed.Fields) {
	failures := f.Number(len(s.Failures))
	f.Uint32(&s.UID)
	f.Uint64(&s.sequence)
	f.Bytes(s.Enrollment[:])
	f.Time(&s.Locked)
	devices := f.Number(len(s.Devices))
	f.Skip(6)
	fixed.List(f, &s.Failures, failures, MaxFailures, 8,
		func(t *time.Time, f *fixed.Fields) { f.Time(t) })
	fixed.List(f, &s.Devices, devices, MaxDevices, 32, (*Device).layout)
	sends := f.Number(len(s.Sends))
	f.Skip(6)
	fixed.List(f, &s.Sends, sends, MaxSends, 12, (*Send).layout)
	s.Recovery.layout(f)
	s.Next.layout(f)
	s.Ticket.layout(f)
	s.Bypass.layout(f)
	fixed.Sparse(f, &s.Pendings, MaxPendings, 64, (*Pending).layout)
	s.Refused.layout(f)
	fixed.Sparse(f, &s.Trusts, MaxTrusts, 48, (*Trust).layout)
	f.Time(&s.Clock)
	s.Accepted.layout(f)
	s.Denied.layout(f)
	fixed.Sparse(f, &s.Networks, MaxNetworks, 12, (*Network).layout)
}

func (d *Device) layout(f *fixed.Fields) {
	f.Bytes(d.ID[:])
	f.Uint64(&d.Counter)
	f.Time(&d.Used)
	f.Uint64(&d.Resync)
}

func (s *Send) layout(f *fixed.Fields) {
	f.Time(&s.At)
	f.Uint32(&s.Count)
}

func (r *Recovery) layout(f *fixed.Fields) {
	f.Bytes(r.Set[:])
	f.Uint64(&r.Used)
}

func (c *OneTimeCode) layout(f *fixed.Fields) {
	f.Time(&c.Until)
	f.Bytes(c.Salt[:])
	f.Bytes(c.Hash[:])
}

// The flags of a verification.
const (
	flagVoice = 1
	flagOver  = 2
)

func (p *Pending) layout(f *fixed.Fields) {
	var flags byte
	if p.Voice {
		flags |= flagVoice
	}
	if p.Over {
		flags |= flagOver
	}
	f.Bytes(p.Device[:])
	f.Time(&p.At)
	f.Text(&p.SID, maxSID)
	f.Uint16(&p.Checks)
	f.Uint16(&p.Sends)
	f.Uint8(&flags)
	f.Skip(3)
	p.Voice, p.Over = flags&flagVoice != 0, flags&flagOver != 0
}

func (r *Refused) layout(f *fixed.Fields) {
	f.Uint32(&r.Count)
	f.Uint32(&r.Told)
	f.Time(&r.First)
	f.Time(&r.Last)
	kind, locked := fixed.KindOf(r.From), byte(0)
	if r.Locked {
		locked = 1
	}
	f.Uint8(&kind)
	f.Uint8(&locked)
	f.Skip(6)
	f.Address(&r.From, kind)
	r.Locked = locked == 1
}
