package stack

import "slices"

// Kind is what is wrong with a stack.
type Kind int

// The kinds.
const (
	Absent  Kind = iota + 1 // there is no pam_latchkey in auth
	Skipped                 // Line returns Code and a login succeeds without Factor being asked
	Shrug                   // Factor (which is Line) returns Code, a failure, and a login succeeds all the same
	Early                   // Factor is asked although no password or key was right; Line, if there is one, is the last that said no
	Unsure                  // as Early, unless Line checks a password, which is not known
	Closed                  // there is no way to a success
)

// Weakness is one thing that is wrong with a service's auth stack.
type Weakness struct {
	Kind   Kind
	Line   *Line
	Code   Code
	Factor *Line // the line of pam_latchkey that is concerned
}

// Has tells whether pam_latchkey asks for codes in the service's auth stack.
func (s *Service) Has() bool { return len(s.factors()) > 0 }

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

// Weaknesses walks every way through the auth stack and tells what should not be possible. None: whoever passes
// has given a code, and is asked for it only after the password (or a key, where if_publickey looks for one).
func (s *Service) Weaknesses() []Weakness {
	if !s.Has() {
		return []Weakness{{Kind: Absent}}
	}
	certain := s.explore(func(l *Line) bool { return l.role() == password || l.role() == question })
	found := append(s.bypasses(certain), s.early(certain)...)
	if !slices.ContainsFunc(certain.nodes, func(n node) bool { return n.ended(s.Auth) && n.passes() }) {
		found = append(found, Weakness{Kind: Closed, Line: s.Auth[s.factors()[0]]})
	}
	return found
}

// bypasses are the lines at which a way that ends well leaves pam_latchkey out, or does not heed its refusal.
func (s *Service) bypasses(w *walk) []Weakness {
	through := w.leading(func(n node) bool { return n.ended(s.Auth) && n.passes() && !n.proved })
	var found []Weakness
	for _, e := range w.edges {
		if !through[e.to] {
			continue
		}
		if l := s.Auth[e.line]; !l.substack && l.role() == factor {
			found = once(found, Weakness{Shrug, l, e.code, l})
			continue
		}
		for _, at := range s.factors() {
			if e.line < at && at < w.nodes[e.to].next {
				found = once(found, Weakness{Skipped, s.Auth[e.line], e.code, s.Auth[at]})
				break
			}
		}
	}
	return found
}

// once keeps the first of those that differ in the code alone.
func once(found []Weakness, w Weakness) []Weakness {
	if slices.ContainsFunc(found, func(f Weakness) bool { return f.Kind == w.Kind && f.Line == w.Line }) {
		return found
	}
	return append(found, w)
}

// early are the lines of pam_latchkey that are reached before a password or a key was right.
func (s *Service) early(certain *walk) []Weakness {
	generous := s.explore(func(l *Line) bool { return l.role() == password || l.role() == question || l.role() == unknown })
	var found []Weakness
	for _, at := range s.factors() {
		if way, ok := generous.unchecked(at); ok {
			found = append(found, Weakness{Early, s.last(way, password, unknown), AuthErr, s.Auth[at]})
		} else if way, ok := certain.unchecked(at); ok {
			found = append(found, Weakness{Unsure, s.last(way, unknown), Success, s.Auth[at]})
		}
	}
	return found
}

// unchecked is a way to the line on which nothing was right before.
func (w *walk) unchecked(line int) ([]edge, bool) {
	for id, n := range w.nodes {
		if n.next == line && !n.checked && !n.proved {
			return w.way(id), true
		}
	}
	return nil, false
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
