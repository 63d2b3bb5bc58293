package stack

import (
	"slices"

	"latchkey/enroll/doctor/stack/control"
)

// Forecast is what a login with a right password can come to.
type Forecast struct {
	In, Out bool    // some way ends well; some does not
	Ran     []*Line // lines of pam_latchkey that ran on some way, in the order of the stack
	Twice   []*Line // of them those that ran when another one had succeeded before
	Depends []*Line // other lines that can go either way, as their files or the user's groups say
}

// Answer is what a line of pam_latchkey returns, and whether it uses a code up by that. again:
// another line of it has used one up before.
type Answer func(l *Line, again bool) (code control.Code, uses bool)

// Foresee walks all ways of a login by auth with a right password. Unlike Weaknesses, which takes
// each module for capable of everything, it takes modules for what they do on a machine in order;
// only for those that check which user it is, or from where, either is possible.
func (s *Service) Foresee(answer Answer) Forecast {
	var f Forecast
	type place struct {
		position
		again bool
	}
	known := map[place]bool{{}: true}
	for open := []place{{}}; len(open) > 0; {
		at := open[len(open)-1]
		open = open[:len(open)-1]
		if at.ended(s.Auth) {
			f.In, f.Out = f.In || at.passes(), f.Out || !at.passes()
			continue
		}
		l := s.Auth[at.next]
		codes, uses := s.usual(l, answer, at.again)
		for _, code := range codes {
			to := place{s.Auth.step(at.position, code), at.again || uses}
			if !known[to] {
				known[to] = true
				open = append(open, to)
			}
		}
		f.visit(l, at.again)
	}
	return f
}

// visit notes what ran.
func (f *Forecast) visit(l *Line, again bool) {
	add := func(all *[]*Line) {
		if !slices.Contains(*all, l) {
			*all = append(*all, l)
		}
	}
	switch {
	case l.substack:
	case l.role() == factor:
		add(&f.Ran)
		if again {
			add(&f.Twice)
		}
	case fickle(l):
		add(&f.Depends)
	}
}

// usual is what a line returns on a machine in order, after a right password, and whether it uses
// a code up.
func (s *Service) usual(l *Line, answer Answer, again bool) (codes []control.Code, uses bool) {
	switch {
	case l.substack:
		return []control.Code{control.Success}, false
	case l.absent:
		return []control.Code{control.ModuleUnknown}, false
	case l.role() == factor:
		code, uses := answer(l, again)
		return []control.Code{code}, uses
	case l.role() == question:
		return []control.Code{control.Success, control.AuthErr}, false
	case l.role() == splitter:
		return []control.Code{control.Ignored}, false
	case l.Name() == "pam_deny.so" || s.rootAlready(l):
		return []control.Code{control.AuthErr}, false
	case fickle(l):
		return []control.Code{control.Success, control.AuthErr, control.Ignored}, false
	}
	return []control.Code{control.Success}, false
}

// fickles are modules that decide by user, by place, by time, or by a file.
var fickles = set(`
	pam_access pam_exec pam_geoip pam_listfile pam_localuser pam_nologin pam_rhosts
	pam_securetty pam_sepermit pam_shells pam_succeed_if pam_time pam_timestamp pam_usertype
	pam_wheel
`)

func fickle(l *Line) bool { return fickles[l.Name()] || l.role() == unknown }
