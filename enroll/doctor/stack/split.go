package stack

import "slices"

// SplitKind is what is wrong about a line of pam_latchkey with split, which takes a code off the
// end of one field.
type SplitKind int

// The kinds.
const (
	Dropped   SplitKind = iota + 1 // no line below compares the code
	Late                           // Other, above it, has asked for the password or the code
	Again                          // Other, above it, has taken the code off
	AsksAgain                      // Other, below it, may ask for the password itself
)

// SplitFault is one thing that is wrong about a line with split.
type SplitFault struct {
	Kind        SplitKind
	Line, Other *Line
}

// Splits are the lines that take a code off, in the order of the stack.
func (s *Service) Splits() []*Line {
	return slices.DeleteFunc(slices.Clone([]*Line(s.Auth)),
		func(l *Line) bool { return l.substack || l.role() != splitter })
}

// SplitFaults are what is wrong about them. A line that can be left out by a jump counts as there.
func (s *Service) SplitFaults() (found []SplitFault) {
	for at, l := range s.Auth {
		if l.substack || l.role() != splitter {
			continue
		}
		above, below := s.Auth[:at], s.Auth[at+1:]
		if other := above.first(password, factor); other != nil {
			found = append(found, SplitFault{Late, l, other})
		}
		if other := above.first(splitter); other != nil {
			found = append(found, SplitFault{Again, l, other})
		}
		if below.first(factor) == nil {
			found = append(found, SplitFault{Dropped, l, nil})
		}
		for _, other := range below {
			if !other.substack && other.role() == password && other.asks() {
				found = append(found, SplitFault{AsksAgain, l, other})
			}
		}
	}
	return found
}

// first is the first line that has one of the roles; nil if there is none.
func (all Stack) first(roles ...role) *Line {
	for _, l := range all {
		if !l.substack && slices.Contains(roles, l.role()) {
			return l
		}
	}
	return nil
}

// asks reports whether a line asks for the password though a module above it has.
func (l *Line) asks() bool {
	return !slices.Contains(l.Args, "use_first_pass") && !slices.Contains(l.Args, "try_first_pass")
}
