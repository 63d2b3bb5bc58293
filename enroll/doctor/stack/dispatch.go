package stack

import "latchkey/enroll/doctor/stack/control"

// impression is what libpam thinks of a stack so far.
type impression int8

const (
	undecided impression = iota
	positive
	negative
)

// judgment is an impression, and whether the code to return is success (libpam's impression and
// status).
type judgment struct {
	impression impression
	success    bool
}

// depthLimit is how deep includes may be nested; deeper ones not every libpam takes.
const depthLimit = 16

// position is where a walk through a stack stands. The zero value is its beginning.
type position struct {
	next  int // the line that runs next
	level int // of the line before
	now   judgment
	saved [depthLimit + 1]judgment // as each substack began
}

// ended reports whether nothing is left to run.
func (p position) ended(s Stack) bool { return p.next >= len(s) }

// passes reports whether pam_authenticate(3) returns success at the end of the walk.
func (p position) passes() bool { return p.now == judgment{positive, true} }

// step runs one line whose module returns code, as _pam_dispatch_aux in libpam/pam_dispatch.c
// does.
func (s Stack) step(p position, code control.Code) position {
	l := s[p.next]
	if p.level < l.level {
		p.saved[l.level] = p.now
	}
	clear(p.saved[l.level+1:]) // what is no longer read must not tell positions apart
	p.level = l.level
	p.next++
	if l.substack {
		return p
	}
	switch a := l.control[code]; a {
	case control.Ignore:
	case control.Reset:
		p.now = p.saved[l.level]
	case control.Accept, control.Done:
		return s.accept(p, a, code)
	case control.Bad, control.Die:
		return s.refuse(p, a)
	default:
		return s.jump(p, int(a))
	}
	return p
}

func (s Stack) accept(p position, a control.Action, code control.Code) position {
	if p.now.impression == undecided || p.passes() {
		p.now = judgment{positive, code == control.Success}
	}
	if a == control.Done && p.now.impression == positive {
		return s.leave(p)
	}
	return p
}

func (s Stack) refuse(p position, a control.Action) position {
	p.now = judgment{negative, false}
	if a == control.Die {
		return s.leave(p)
	}
	return p
}

// leave goes to the end of the substack, or of the stack.
func (s Stack) leave(p position) position {
	for !p.ended(s) && s[p.next].level >= p.level {
		p.next++
	}
	return p
}

// jump skips n modules; a substack is one. A jump beyond the end of its substack
// is a failure.
func (s Stack) jump(p position, n int) position {
	for ; n > 0 && !p.ended(s) && s[p.next].level >= p.level; n-- {
		p.next++
		for !p.ended(s) && s[p.next].level > p.level {
			p.next++
		}
	}
	if n > 0 {
		p.now = judgment{negative, false}
	}
	return p
}
