package sshd

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"latchkey/enroll/doctor/sshd/candidate"
	"latchkey/enroll/doctor/sshd/config"
)

// combination is a value of each dimension.
type combination [dimensions]*value

// connection is what a combination makes; a client without a name has its address for one.
func (c *combination) connection() *config.Connection {
	q := &config.Connection{}
	for _, v := range c {
		v.fill(q)
	}
	if q.Host == "" {
		q.Host = q.Addr
	}
	return q
}

// key is the same for beginnings of combinations to which the same lines can apply and which
// sshd lets try alike.
func (c *combination) key(length dimension) string {
	words := slices.Clone(c[0].bits)
	var b strings.Builder
	for _, v := range c[:length] {
		for i := range words {
			words[i] &= v.bits[i]
		}
		b.WriteString(v.marks)
	}
	for _, w := range words {
		b.WriteString(strconv.FormatUint(w, 36) + " ")
	}
	return b.String()
}

// possible reports whether the parts of a combination, as far as it has them, can be those of
// one connection.
func (x *axes) possible(c *combination) bool {
	if c[byAddr] == nil || c[byLocal] == nil {
		return true
	}
	if c[byPort] == nil {
		return sameFamily(c[byAddr].q.Addr, c[byLocal].q.LAddr)
	}
	return sameFamily(c[byAddr].q.Addr, c[byLocal].q.LAddr) &&
		x.listens(c[byLocal].q.LAddr, c[byPort].q.LPort)
}

// sameFamily reports whether the two addresses of a connection can be those of one.
func sameFamily(addr, laddr string) bool {
	a, errA := netip.ParseAddr(addr)
	l, errL := netip.ParseAddr(laddr)
	return errA != nil || errL != nil || a.Is4() == l.Is4()
}

// listens reports whether sshd may listen there. A port or an address that it is not known to
// listen on is left for it to be started with.
func (x *axes) listens(laddr string, port int) bool {
	on := func(l candidate.Listener) bool { return l.Port == port }
	return !slices.ContainsFunc(x.listen, on) ||
		slices.ContainsFunc(x.listen, func(l candidate.Listener) bool {
			return on(l) && (l.Addr == "" || l.Addr == laddr)
		})
}

// usual is a connection with a value, that is the most usual one otherwise; nil if there is
// none.
func (x *axes) usual(d dimension, v *value) *combination {
	var c combination
	c[d] = v
	if x.complete(&c, 0) {
		return &c
	}
	return nil
}

// complete fills in the first values that go together.
func (x *axes) complete(c *combination, d dimension) bool {
	if d == dimensions {
		return true
	}
	if c[d] != nil {
		return x.possible(c) && x.complete(c, d+1)
	}
	for _, v := range x.values[d] {
		c[d] = v
		if x.possible(c) && x.complete(c, d+1) {
			return true
		}
	}
	c[d] = nil
	return false
}
