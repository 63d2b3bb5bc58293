package stack

import (
	"slices"

	"latchkey/enroll/doctor/stack/control"
)

// Kind is what is wrong with a stack.
type Kind int

// The kinds.
const (
	Absent  Kind = iota + 1 // there is no pam_latchkey in auth
	Skipped                 // Line returns Code and a login succeeds without Factor being asked
	// Factor (which is Line) returns Code, a failure, and a login succeeds all the same
	Shrug
	// Factor is asked although no password or key was right; Line, if there is one, is the last
	// that said no
	Early
	Unsure // as Early, unless Line checks a password, which is not known
	Closed // there is no way to a success
	// Line asks for a code after Factor has got one, which is used up by then
	Twice
)

// Weakness is one thing that is wrong with a service's auth stack.
type Weakness struct {
	Kind   Kind
	Line   *Line
	Code   control.Code
	Factor *Line // the line of pam_latchkey that is concerned
}

// Has reports whether pam_latchkey asks for codes in the service's auth stack.
func (s *Service) Has() bool { return len(s.factors()) > 0 }

// Factors are the lines that ask for a code, in the order of the stack.
func (s *Service) Factors() (lines []*Line) {
	for _, at := range s.factors() {
		lines = append(lines, s.Auth[at])
	}
	return lines
}

// factors are the indexes of the lines that ask for a code.
func (s *Service) factors() []int {
	var all []int
	for i, l := range s.Auth {
		if !l.substack && l.role() == factor {
			all = append(all, i)
		}
	}
	return all
}

// Weaknesses walks every way through the auth stack and tells what should not be possible. None:
// users who pass have given a code, and are asked for it only after the password (or a key, where
// if_publickey looks for one).
func (s *Service) Weaknesses() []Weakness {
	factors := s.factors()
	if len(factors) == 0 {
		return []Weakness{{Kind: Absent}}
	}
	certain := s.explore(func(l *Line) bool {
		return l.role() == password ||
			l.role() == question
	})
	generous := s.explore(func(l *Line) bool {
		return l.role() == password ||
			l.role() == question || l.role() == unknown
	})
	found := append(s.bypasses(certain, factors), s.early(certain, generous, factors)...)
	found = append(found, s.twice(certain, factors)...)
	if !slices.ContainsFunc(certain.nodes, func(n node) bool {
		return n.ended(s.Auth) &&
			n.passes()
	}) {
		found = append(found, Weakness{Kind: Closed, Line: s.Auth[factors[0]]})
	}
	return found
}

// bypasses are the lines at which a way that ends well leaves pam_latchkey out, or does not heed
// its refusal.
func (s *Service) bypasses(w *walk, factors []int) []Weakness {
	through := w.leading(func(n node) bool { return n.ended(s.Auth) && n.passes() && !n.proved })
	var found []Weakness
	for _, e := range w.edges {
		if !through[e.to] {
			continue
		}
		at, exact := slices.BinarySearch(factors, e.line)
		if exact {
			found = once(found, Weakness{Shrug, s.Auth[e.line], e.code, s.Auth[e.line]})
		} else if at < len(factors) && factors[at] < w.nodes[e.to].next {
			found = once(found, Weakness{Skipped, s.Auth[e.line], e.code, s.Auth[factors[at]]})
		}
	}
	return found
}

// twice are the lines of pam_latchkey that ask users who have given a code before.
func (s *Service) twice(w *walk, factors []int) (found []Weakness) {
	for _, e := range w.edges {
		if _, asks := slices.BinarySearch(factors, e.line); asks && w.nodes[e.from].proved {
			found = once(found, Weakness{Twice, s.Auth[e.line], control.Success,
				s.last(w.way(e.from),
					factor)})
		}
	}
	return found
}

// once keeps the first of those that differ in the code alone.
func once(found []Weakness, w Weakness) []Weakness {
	if slices.ContainsFunc(found, func(f Weakness) bool {
		return f.Kind == w.Kind &&
			f.Line == w.Line
	}) {
		return found
	}
	return append(found, w)
}

// early are the lines of pam_latchkey that are reached before a password or a key was right.
// certain is the walk in which only modules that are known check passwords, generous the one in
// which those that are not known do too.
func (s *Service) early(certain, generous *walk, factors []int) []Weakness {
	sure, perhaps := generous.unchecked(), certain.unchecked()
	var found []Weakness
	for _, at := range factors {
		if id, ok := sure[at]; ok {
			found = append(found, Weakness{Early, s.last(generous.way(id), password, unknown),
				control.AuthErr, s.Auth[at]})
		} else if id, ok := perhaps[at]; ok {
			found = append(found, Weakness{Unsure, s.last(certain.way(id), unknown),
				control.Success,
				s.Auth[at]})
		}
	}
	return found
}

// unchecked has for each line the first node at which it is reached and nothing was right before.
func (w *walk) unchecked() map[int]int {
	first := map[int]int{}
	for id, n := range w.nodes {
		if _, seen := first[n.next]; !seen && !n.checked && !n.proved {
			first[n.next] = id
		}
	}
	return first
}

// last is the last line of a way that has one of the roles; nil if there is none.
func (s *Service) last(way []edge, roles ...role) *Line {
	for _, e := range way {
		if l := s.Auth[e.line]; !l.substack && slices.Contains(roles, l.role()) {
			return l
		}
	}
	return nil
}
