package plan

import (
	"errors"

	"latchkey/enroll/doctor/stack"
)

// errNotYet says that a service asks for no code yet.
var errNotYet = errors.New("the service asks for no code")

// hasAlready looks at a service that asks for codes already: one that does it well stays as it is.
func (p *planner) hasAlready(name string, want Stack) error {
	s, err := stack.ReadOver(p.root, name, p.over)
	if err != nil {
		return refuse("PAM service "+name, "%v", err)
	}
	if !s.Has() {
		return errNotYet
	}
	for _, w := range s.Weaknesses() {
		if why := says(w, want == KeyAndCode); why != "" {
			return refuse("PAM service "+name, "it asks for codes already, and not well: %s", why)
		}
	}
	if name == p.wish.SSHD && !fits(s, want) {
		return refuse("PAM service "+name, "it asks for codes already, and not for %s", want)
	}
	p.plan.Services = append(p.plan.Services, name)
	return nil
}

// fits reports whether a service that asks for codes asks for what a stack has: the password or
// not, and from those with a key or not.
func fits(s *stack.Service, want Stack) bool {
	password, key := false, false
	for _, l := range s.Auth {
		password = password || stack.ChecksPassword(l.Module)
		key = key || l.AsksForKey()
	}
	switch want {
	case KeyAndCode:
		return !password
	case KeyOrPasswordAndCode:
		return password && key
	}
	return password && !key
}
