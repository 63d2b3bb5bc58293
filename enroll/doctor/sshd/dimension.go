package sshd

import (
	"fmt"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
)

// dimension is one of the things that connections differ in.
type dimension int

// The dimensions.
const (
	byUser dimension = iota
	byAddr
	byHost
	byLocal
	byPort
	byDomain
	dimensions
)

// dimensionOf says what a criterion looks at. What it is not in is the same for every
// connection.
var dimensionOf = map[string]dimension{
	"user": byUser, "group": byUser, "address": byAddr, "host": byHost,
	"localaddress": byLocal, "localport": byPort, "rdomain": byDomain,
}

// value is one value of a dimension.
type value struct {
	q     config.Connection // of which it fills in its part
	d     dimension
	bits  []uint64 // of the lines that it leaves possible
	marks string   // what AllowUsers and its like say of it

	profile string // see model.profile
}

// fill puts the value into a connection.
func (v *value) fill(q *config.Connection) {
	switch v.d {
	case byUser:
		q.User = v.q.User
	case byAddr:
		q.Addr = v.q.Addr
	case byHost:
		q.Host = v.q.Host
	case byLocal:
		q.LAddr = v.q.LAddr
	case byPort:
		q.LPort = v.q.LPort
	case byDomain:
		q.RDomain = v.q.RDomain
	}
}

func (v *value) text() string {
	switch v.d {
	case byUser:
		return v.q.User.Name + " " + strings.Join(v.q.User.Groups, ",")
	case byPort:
		return fmt.Sprint(v.q.LPort)
	}
	return v.q.Addr + v.q.Host + v.q.LAddr + v.q.RDomain
}

// weigh finds out which lines a value leaves possible.
func (m *model) weigh(v *value) {
	q := v.q
	if v.d == byAddr && !m.base.On("usedns") {
		q.Host = q.Addr
	}
	v.bits = make([]uint64, len(m.blocks)/64+1)
	for i, b := range m.blocks {
		if v.d.leaves(b, &q, m.base.On("usedns")) {
			v.bits[i/64] |= 1 << (i % 64)
		}
	}
}

// leaves reports whether no criterion of a line, or of those around it, that looks at a
// dimension stands against a value.
func (d dimension) leaves(b *config.Block, q *config.Connection, dns bool) bool {
	for ; b != nil; b = b.Outer {
		for _, c := range b.Criteria {
			if d.isOf(c, dns) && !c.Holds(q) {
				return false
			}
		}
	}
	return true
}

// isOf reports whether a criterion looks at the dimension. Without UseDNS the client's name is its
// address.
func (d dimension) isOf(c config.Criterion, dns bool) bool {
	of, any := dimensionOf[c.Attribute]
	if of == byHost && !dns {
		of = byAddr
	}
	return any && of == d
}
