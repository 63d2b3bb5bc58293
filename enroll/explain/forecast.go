package explain

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/enroll/doctor/stack"
	"latchkey/enroll/doctor/stack/control"
	"latchkey/enroll/doctor/stack/pamd"
	"latchkey/pam/flow"
	"latchkey/pam/policy"
)

// forecast is what each line of pam_latchkey in a service's stack comes to, and what the stack
// makes of it.
type forecast struct {
	service *stack.Service
	err     error // the stack cannot be read
	lines   map[*stack.Line]rehearsal
	right   stack.Forecast // with right answers
	wrong   stack.Forecast // with wrong ones
}

// rehearsal is what a line of the module comes to.
type rehearsal struct {
	Explanation
	code control.Code // that PAM gets if there is nothing to answer
}

// choose makes the explanation that of the first line which runs and says what the login comes to:
// what denies if right answers do not help, else what asks, else what lets in.
func (f forecast) choose(e *Explanation) {
	order := []string{"asked", "enroll", "deny", "allow"}
	if !f.right.In {
		order = []string{"deny", "asked", "enroll", "allow"}
	}
	best := len(order)
	for _, l := range f.right.Ran {
		if at := slices.Index(order, f.lines[l].Result); at < best {
			best, *e = at, f.lines[l].Explanation
		}
	}
	for _, l := range f.right.Ran {
		if path := confOf(l.Args); path != policy.DefaultPath {
			e.Stack = append(e.Stack, fmt.Sprintf("%s takes the policy %s", l.Place(), path))
		}
	}
}

// confOf is the policy that a line of the module takes. What is wrong with its arguments comes out
// when it is rehearsed.
func confOf(args []string) string {
	var a flow.Arguments
	for _, arg := range args {
		a.Take(arg)
	}
	return a.Policy()
}

// answer is what the lines return to right answers, or to wrong ones. A code that another line has
// accepted is used up.
func (f forecast) answer(right bool) stack.Answer {
	return func(l *stack.Line, again bool) (code control.Code, uses bool) {
		switch r := f.lines[l]; {
		case r.Result == "allow":
			return control.Success, false
		case r.Result == "deny":
			return r.code, false
		case !right, r.stuck(), again:
			return control.AuthErr, false
		}
		return control.Success, true
	}
}

// judge says what the stack makes of the answers.
func (f forecast) judge(e *Explanation) {
	switch {
	case f.err != nil:
		e.deny("PAM lets no one in: " + f.err.Error())
		return
	case len(f.right.Ran) == 0:
		e.unasked(f.right.In)
	case !f.right.In:
		f.closed(e)
	case f.wrong.In && !f.wrong.Out && e.Result != "allow":
		e.Result, e.Reason, e.Detail = "allow", "",
			"with any answer: the stack ignores what "+places(f.right.Ran)+" says"
	}
	if lines := f.service.Splits(); len(lines) > 0 && len(f.right.Ran) > 0 {
		e.Stack = append(e.Stack, "the code may be typed directly behind the password: "+places(lines))
	}
	if f.right.In && f.right.Out || f.wrong.In && f.wrong.Out {
		e.Stack = append(e.Stack, "it depends on "+places(f.right.Depends))
	}
	if !f.service.Admits() && e.Result != "deny" {
		e.deny("the account lines of PAM service " + e.Service + " let no one in")
	}
	if lines, fatal := f.service.Useless(pamd.Session); fatal {
		e.deny("no session can be opened: pam_latchkey provides none, and " + places(lines) +
			" wants one")
	}
}

// closed explains a login that right answers do not help.
func (f forecast) closed(e *Explanation) {
	switch {
	case e.Result == "deny":
	case e.Result == "asked" && e.stuck():
		e.deny("no accepted method works for this user")
	case len(f.right.Twice) > 0:
		e.deny("a code is asked for again at " + places(f.right.Twice) +
			", and the one that was accepted is used up")
	default:
		e.deny("PAM service " + e.Service + " lets no one in")
	}
}

func places(lines []*stack.Line) string {
	var all []string
	for _, l := range lines {
		if place := fmt.Sprintf("%s (%s)", l.Place(), l.Name()); !slices.Contains(all, place) {
			all = append(all, place)
		}
	}
	return strings.Join(all, " and ")
}
