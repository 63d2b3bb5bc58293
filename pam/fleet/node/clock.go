package node

import (
	"slices"
	"time"

	"latchkey/pam/fleet/wire"
)

const (
	maxOffset = 5 * time.Second // from the median of the other services
	quiet     = 3 * time.Second // after which a service that renews nothing is not there
)

// peers are the other services, as they were seen.
type peers struct {
	seen   map[string]seen
	live   int
	offset time.Duration // of this clock from the median of the others; positive: it is fast
}

type seen struct {
	number string
	since  time.Time     // when this number was first seen
	off    time.Duration // how far our clock was ahead of its then
	before time.Duration // and when the number before this one was first seen
}

// observe looks at the numbers of the others. A service that does not renew its number is not
// there, and its clock says nothing; for the first seconds that cannot be told.
func (p *peers) observe(others map[string]Peer, now time.Time) {
	clock := time.Now() // not the one that may be wrong
	for name, peer := range others {
		off := now.Sub(peer.At)
		if old, known := p.seen[name]; !known {
			p.seen[name] = seen{peer.Number, clock, off, off}
		} else if old.number != peer.Number {
			p.seen[name] = seen{peer.Number, clock, off, old.off}
		}
	}
	var offs []time.Duration
	for name, s := range p.seen {
		if _, there := others[name]; !there {
			delete(p.seen, name)
		} else if clock.Sub(s.since) <= quiet {
			offs = append(offs, s.offset())
		}
	}
	p.live, p.offset = len(offs), median(offs)
}

// offset is how far our clock is ahead, as two numbers one after the other say it: one alone may
// have been written, or seen, late, because etcd did not answer for some seconds.
func (s seen) offset() time.Duration { return nearer(s.before, s.off) }

func nearer(a, b time.Duration) time.Duration {
	if a.Abs() < b.Abs() {
		return a
	}
	return b
}

// median returns the middle one; of two, the one nearer to zero: with two other services, a wrong
// clock of one of them must not stop the rest.
func median(offs []time.Duration) time.Duration {
	if len(offs) == 0 {
		return 0
	}
	slices.Sort(offs)
	return nearer(offs[(len(offs)-1)/2], offs[len(offs)/2])
}

// judge refuses to answer with a clock that the others do not have.
func (p *peers) judge() error {
	if p.offset.Abs() < maxOffset {
		return nil
	}
	return wire.Errorf(wire.Clock, "the service's clock is %s off those of the others",
		p.offset.Round(time.Second))
}
