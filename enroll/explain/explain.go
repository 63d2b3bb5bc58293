package explain

import (
	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/control"
	"latchkey/pam/gate/names"
	"latchkey/pam/policy"
)

// Explain says what the login would come to.
func (l Login) Explain() (Explanation, error) {
	e := Explanation{User: l.User.Name, UID: l.User.UID, Service: l.Service, From: l.From,
		Unknown: []policy.Unknown{}, Stack: []string{}, Unusable: []Unusable{}, Keys: []string{}}
	l.member = membership(names.LookUp(l.User.Name))
	f, err := l.forecast(&e)
	if err != nil {
		return e, err
	}
	f.judge(&e)
	return e, nil
}

// forecast rehearses the lines of the service's stack. The explanation becomes that of the line
// which decides.
func (l Login) forecast(e *Explanation) (f forecast, err error) {
	if f.service, f.err = stack.ReadAnyones(l.Root, e.Service); f.err != nil {
		return f, l.decide(e, policy.DefaultPath)
	}
	f.lines = map[*stack.Line]rehearsal{}
	for _, line := range f.service.Factors() {
		each, path := *e, confOf(line.Args)
		if err := l.decide(&each, path); err != nil && path == policy.DefaultPath {
			return f, err
		}
		code := l.rehearse(&each, line.Args)
		f.lines[line] = rehearsal{each, control.Code(code)}
	}
	f.right, f.wrong = f.service.Foresee(f.answer(true)), f.service.Foresee(f.answer(false))
	f.choose(e)
	return f, nil
}
