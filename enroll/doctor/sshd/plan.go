package sshd

import (
	"fmt"
	"slices"
	"strings"
)

// region is a connection, and what is expected of it.
type region struct {
	q        *connection
	applying []*Block
	options  Options
	by       map[string]*Setting
	open     bool // sshd lets the user try
}

// mostRegions bounds how many combinations are considered, which takes a second or two.
const mostRegions = 200_000

// plan chooses the connections to ask sshd about: one for each way in which what is in force can come about, and one for each value
// that a line speaks of. complete is false if there were too many combinations to consider.
func (m *model) plan(x *axes) (chosen []*region, complete bool) {
	seen := map[string]bool{}
	count := 0
	x.each(func(q *connection) bool {
		if count++; count > mostRegions {
			return false
		}
		r := m.region(q)
		for _, key := range r.keys() {
			if !seen[key] {
				seen[key] = true
				chosen = append(chosen, r)
			}
		}
		return true
	})
	slices.SortStableFunc(chosen, func(a, b *region) int { return len(a.applying) - len(b.applying) })
	return slices.Compact(chosen), count <= mostRegions
}

func (m *model) region(q *connection) *region {
	q.release = m.release
	r := &region{q: q}
	for _, b := range m.blocks {
		if b.applies(q) {
			r.applying = append(r.applying, b)
		}
	}
	r.options, r.by = m.force(func(b *Block) bool { return slices.Contains(r.applying, b) })
	r.open = admits(r.options, q)
	return r
}

func (q *connection) root() bool { return q.user.UID == 0 && !q.user.made }

// keys are the reasons for which a region is asked about: each value and each line once, and all that is in force once; where
// that has problems, once for each line that they come of.
func (r *region) keys() []string {
	all := []string{"user " + r.q.user.Name + strings.Join(r.q.user.Groups, ","), "addr " + r.q.addr, "host " + r.q.host,
		"laddr " + r.q.laddr, fmt.Sprint("lport ", r.q.lport), "rdomain " + r.q.rdomain}
	for _, b := range r.applying {
		all = append(all, "line "+b.Place())
	}
	force := []string{fmt.Sprint(r.q.root(), r.open)}
	for _, k := range decisive {
		force = append(force, strings.Join(r.options[k], " "))
	}
	if r.open && len(problems(r.options, r.q.root(), len(r.by) > 0)) > 0 {
		for _, k := range decisive {
			if s := r.by[k]; s != nil {
				force = append(force, s.Place())
			}
		}
	}
	return append(all, strings.Join(force, "\n"))
}

// each goes through all combinations that can be those of a connection, until yield says no.
func (x *axes) each(yield func(*connection) bool) {
	for _, addr := range x.addrs {
		for _, laddr := range x.laddrs {
			if !possible(addr, laddr) {
				continue
			}
			for _, port := range x.ports {
				if !x.listens(laddr, port) {
					continue
				}
				if !x.eachClient(connection{addr: addr, laddr: laddr, lport: port}, yield) {
					return
				}
			}
		}
	}
}

func (x *axes) eachClient(q connection, yield func(*connection) bool) bool {
	for _, host := range x.hosts {
		for _, rdomain := range x.rdomain {
			for _, u := range x.users {
				one := q
				one.user, one.rdomain, one.host = u, rdomain, host
				if host == "" {
					one.host = q.addr
				}
				if !yield(&one) {
					return false
				}
			}
		}
	}
	return true
}

// listens reports whether sshd may listen there. A port or an address that it is not known to listen on is left for it to be
// started with.
func (x *axes) listens(laddr string, port int) bool {
	on := func(l listener) bool { return l.port == port }
	return !slices.ContainsFunc(x.listen, on) || slices.ContainsFunc(x.listen, func(l listener) bool {
		return on(l) && (l.addr == "" || l.addr == laddr)
	})
}
