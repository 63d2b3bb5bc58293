package policy

import (
	"fmt"
	"slices"
)

// Request is a login as the PAM application describes it.
type Request struct {
	User    string
	Service string // PAM_SERVICE
	From    string // PAM_RHOST as given; only a literal address can match a network

	// InGroup reports whether User is in a group, or behind "@" a netgroup. It is asked only about groups that decide
	// something; "cannot tell" is an error, never false. Nil is an error if it is needed.
	InGroup func(group string) (bool, error)
}

// Decision is what the policy wants of a login. The zero Decision denies.
type Decision struct {
	Require Require
	Methods []Method // what is accepted, with RequireCode; empty means that nothing is, not that everything is
	Rule    int      // which rule decided, counted from 1; 0: none matched
	Line    int      // of that rule, or 0
	Why     string   // the rule and its conditions, one printable line for `enroll explain` and the debug log
}

// Decide finds the first rule whose conditions all hold. If there is none, a code by any method is required. Methods that
// [phone] switches off are left out. An error means that some group could not be looked up: it comes with the zero
// Decision, and the caller denies, since the next rule may be a laxer one.
func (p *Policy) Decide(r Request) (Decision, error) {
	for i, rule := range p.Rules {
		held, err := rule.match(r)
		if err != nil {
			return Decision{}, fmt.Errorf("rule %d, line %d: %w", i+1, rule.Line, err)
		}
		if held != nil {
			return p.apply(rule, i+1, held), nil
		}
	}
	return Decision{Require: RequireCode, Methods: p.usable(AllMethods()), Why: "no rule matches: a code is required"}, nil
}

// apply is the decision of a rule that matched.
func (p *Policy) apply(rule Rule, number int, held []string) Decision {
	d := Decision{Require: rule.Require, Rule: number, Line: rule.Line, Why: explain(rule, number, held)}
	switch {
	case rule.Require != RequireCode:
	case rule.Methods == nil:
		d.Methods = p.usable(AllMethods())
	default:
		d.Methods = p.usable(rule.Methods)
	}
	return d
}

// usable returns the methods without those that [phone] switches off.
func (p *Policy) usable(methods []Method) []Method {
	off := func(m Method) bool { return m.sent() && !slices.Contains(p.Phone.Methods, m) }
	return slices.DeleteFunc(slices.Clone(methods), off)
}
