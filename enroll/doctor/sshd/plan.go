package sshd

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/ways"
)

// region is a connection, and what is expected of it.
type region struct {
	q        *config.Connection
	applying []*config.Block
	options  ways.Options
	by       map[string]*config.Setting
	open     bool // sshd lets the user try
	bad      bool
}

func (m *model) region(q *config.Connection) *region {
	q.Release = m.release
	r := &region{q: q}
	for _, b := range m.blocks {
		if b.Applies(q) {
			r.applying = append(r.applying, b)
		}
	}
	r.options, r.by = m.force(func(b *config.Block) bool { return slices.Contains(r.applying, b) })
	r.open = admits(r.options, q)
	r.bad = r.open && len(ways.Problems(r.options, q.Root(), len(r.by) > 0)) > 0
	return r
}

// planner chooses the connections to ask sshd about.
type planner struct {
	m      *model
	x      *axes
	seen   map[string]bool
	chosen []*region
	left   int // how many combinations may still be considered
}

// mostRegions bounds how many combinations are considered, which takes a second or two.
const mostRegions = 2_000_000

// plan chooses one connection for each way in which what is in force can come about, one for
// each value that lines speak of, and one for each line that problems come of. complete is false
// if there were too many combinations to consider.
func (m *model) plan(x *axes) (chosen []*region, complete bool) {
	p := &planner{m: m, x: x, seen: map[string]bool{}, left: mostRegions}
	p.product()
	p.values()
	slices.SortStableFunc(p.chosen, func(a, b *region) int {
		return len(a.applying) - len(b.applying)
	})
	return p.chosen, p.left > 0 && !m.cut
}

// product goes through all combinations of values that differ in what they can do, one dimension
// after the other: of those to which the same lines can still apply one goes on.
func (p *planner) product() {
	var same [dimensions][]*value
	open := []*combination{{}}
	for d := range dimensions {
		same[d] = atoms(p.x.values[d], func(v *value) string { return p.m.profile(d, v) })
		open = p.longer(open, d, same[d])
	}
	for _, c := range open {
		if p.m.late() {
			return
		}
		if r := p.consider(c); r.bad {
			p.expand(c)
		}
	}
}

// longer adds each value of a dimension to each combination of the earlier ones.
func (p *planner) longer(open []*combination, d dimension, values []*value) []*combination {
	var all []*combination
	known := map[string]bool{}
	for _, c := range open {
		for _, v := range values {
			if p.left--; p.left <= 0 || p.m.late() {
				return all
			}
			one := *c
			one[d] = v
			if key := one.key(d + 1); p.x.possible(&one) && !known[key] {
				known[key] = true
				all = append(all, &one)
			}
		}
	}
	return all
}

// expand looks, for a combination with problems, at the values that can do the same: each may be
// of a line of its own.
func (p *planner) expand(c *combination) {
	for d := range dimensions {
		profile := p.m.profile(d, c[d])
		for _, v := range p.x.values[d] {
			if v != c[d] && p.m.profile(d, v) == profile && !p.m.late() {
				other := *c
				other[d] = v
				if p.x.possible(&other) {
					p.consider(&other)
				}
			}
		}
	}
}

// values has each value asked about once, in a connection that is usual otherwise.
func (p *planner) values() {
	for d := range dimensions {
		for _, v := range p.x.values[d] {
			p.value(v)
		}
	}
	for _, v := range p.x.more {
		p.value(v)
	}
}

func (p *planner) value(v *value) {
	name := fmt.Sprint("value ", v.d, " ", v.text())
	if p.seen[name] {
		return
	}
	if c := p.x.usual(v.d, v); c != nil {
		p.take(p.m.region(c.connection()), name)
	}
}

// consider takes a combination if there is a reason to.
func (p *planner) consider(c *combination) *region {
	r := p.m.region(c.connection())
	for _, b := range r.applying {
		p.take(r, "line "+b.Place())
	}
	p.take(r, r.force())
	for d := range dimensions {
		if r.taken(p) {
			p.seen[fmt.Sprint("value ", d, " ", c[d].text())] = true
		}
	}
	return r
}

func (r *region) taken(p *planner) bool {
	return len(p.chosen) > 0 && p.chosen[len(p.chosen)-1] == r
}

func (p *planner) take(r *region, reason string) {
	if p.seen[reason] {
		return
	}
	p.seen[reason] = true
	if !r.taken(p) {
		p.chosen = append(p.chosen, r)
	}
}

// force is what decides about the code, and where that has problems, the lines that it comes of.
func (r *region) force() string {
	all := []string{fmt.Sprint(r.q.Root(), r.open, r.options.Keys())}
	for _, k := range decisive {
		if !slices.Contains(gathered, k) && !slices.Contains(indirect, k) {
			all = append(all, strings.Join(r.options[k], " "))
		}
		if s := r.by[k]; s != nil && r.bad {
			all = append(all, s.Place())
		}
	}
	return strings.Join(all, "\n")
}
