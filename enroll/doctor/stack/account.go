package stack

import (
	"slices"

	"latchkey/enroll/doctor/stack/control"
	"latchkey/enroll/doctor/stack/pamd"
)

// In pam_latchkey's account line the module lets everyone pass (pam_latchkey(8)); in session and
// password libpam fails it, because the module has no such functions.

// Lenient are the lines of pam_latchkey in account by which users pass whom other modules
// refuse (an account that has expired), or by which alone everyone passes.
func (s *Service) Lenient() []*Line {
	var found []*Line
	ours := s.ours(s.Account)
	for _, l := range ours {
		if !slices.ContainsFunc(s.Account, func(o *Line) bool {
			return !o.substack &&
				!o.Ours()
		}) || s.overrules(l) {
			found = append(found, l)
		}
	}
	if len(found) == 0 && len(ours) > 1 && s.overrules(ours...) {
		return ours[:1]
	}
	return found
}

func (s *Service) ours(all Stack) []*Line {
	return slices.DeleteFunc(slices.Clone([]*Line(all)), func(l *Line) bool { return !l.Ours() })
}

// pair is a walk through account twice, with some lines of pam_latchkey and without what they say,
// with the same results of all others.
type pair struct {
	with, without position
	refused       bool // a module has refused
}

// overrules walks all such pairs, and finds one that passes with those lines only, though a module
// has refused.
func (s *Service) overrules(lines ...*Line) bool {
	muted := slices.Clone(s.Account)
	for i, l := range muted {
		if slices.Contains(lines, l) {
			silent := *l
			silent.control = control.Control{} // ignores everything
			muted[i] = &silent
		}
	}
	known := map[pair]bool{{}: true}
	for open := []pair{{}}; len(open) > 0; {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		if at.with.ended(s.Account) && at.without.ended(muted) {
			if at.refused && at.with.passes() && !at.without.passes() {
				return true
			}
			continue
		}
		for _, to := range s.both(at, muted) {
			if !known[to] {
				known[to] = true
				open = append(open, to)
			}
		}
	}
	return false
}

// both runs the line that is next in either walk, with everything that its module can return.
func (s *Service) both(at pair, muted Stack) (all []pair) {
	next := min(at.with.next, at.without.next)
	if at.with.ended(s.Account) {
		next = at.without.next
	} else if at.without.ended(muted) {
		next = at.with.next
	}
	codes := control.Anything()
	if l := s.Account[next]; l.substack || l.Ours() {
		codes = []control.Code{control.Success}
	} else if l.Name() == "pam_deny.so" {
		codes = []control.Code{control.AuthErr}
	}
	for _, code := range codes {
		to := at
		if at.with.next == next {
			to.with = s.Account.step(at.with, code)
		}
		if at.without.next == next {
			to.without = muted.step(at.without, code)
		}
		to.refused = to.refused || code != control.Success && code != control.Ignored
		all = append(all, to)
	}
	return all
}

// Useless are the lines of pam_latchkey in session and password, where libpam has no function of
// it to call. fatal reports whether what they stand in fails because of them, though all others
// succeed.
func (s *Service) Useless(kind pamd.Type) (lines []*Line, fatal bool) {
	all := *s.stack(kind)
	lines = s.ours(all)
	p := position{}
	for !p.ended(all) {
		code := control.Success
		switch l := all[p.next]; {
		case l.Ours():
			code = control.ModuleUnknown
		case l.Name() == "pam_deny.so":
			code = control.AuthErr
		}
		p = all.step(p, code)
	}
	return lines, len(lines) > 0 && !p.passes()
}
