package policy

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/pam/method"
)

// Request is a login as the PAM application describes it.
type Request struct {
	User    string
	Service string // PAM_SERVICE
	From    string // PAM_RHOST as given; only a literal address is in a network or in none

	// InGroup reports whether User is in a group, or behind "@" a netgroup. It is asked only
	// where the answer can change the decision, and about each group once. "Cannot tell" is an
	// error, never false; nil cannot tell anything.
	InGroup func(group string) (bool, error)
}

// Decision is what the policy wants of a login. The zero Decision denies.
type Decision struct {
	Require Require
	Methods []method.Method // what is accepted, with RequireCode; empty: nothing is
	// for how long a computer may be trusted, with RequireCode; the zero Trust: not at all
	Trust Trust
	// what happens to users without a record, with RequireCode
	Newcomers Newcomers

	Rule int    // which rule decided, counted from 1; 0: none matched
	Line int    // of that rule, or 0
	Why  string // the rule and its conditions: one printable line
	// the conditions that could not be told, from the last rule to the first
	Unknown []Unknown
}

// Decide finds the first rule whose conditions all hold. If there is none, a code by any method
// is required. Methods that [phone] switches off are left out.
//
// A condition that cannot be told is neither yes nor no: the login gets the stricter of what
// follows from each. So no rule is escaped by making its condition unknown, and no failure of
// the name service lets anyone in who would not get in otherwise.
func (p *Policy) Decide(r Request) Decision {
	return (&decider{policy: p, request: r, asked: map[string]answer{}}).from(0)
}

// decider is one decision in the making. Each rule is looked at once at most, so that its cost
// is linear in their number.
type decider struct {
	policy  *Policy
	request Request
	asked   map[string]answer
}

type answer struct {
	in  bool
	err error
}

// from is the decision of the i-th rule, counted from 0, and of those below it.
func (d *decider) from(i int) Decision {
	if i == len(d.policy.Rules) {
		return d.policy.unmatched()
	}
	rule := d.policy.Rules[i]
	found := rule.told(d.request)
	switch {
	case found.is == no:
		return d.from(i + 1)
	case found.is == yes || rule.Groups == nil:
		return d.settle(i, found.and(rule.groups(d.member)))
	}
	// The rule holds at most perhaps. Its groups are asked for only if they can change what the
	// rules below say.
	below := d.from(i + 1)
	if same(stricter(d.policy.apply(rule, i+1, found), below), below) {
		return d.policy.either(rule, i+1, found, below)
	}
	if found = found.and(rule.groups(d.member)); found.is == no {
		return below
	}
	return d.policy.either(rule, i+1, found, below)
}

// settle is the decision once everything about the i-th rule was asked.
func (d *decider) settle(i int, found finding) Decision {
	rule := d.policy.Rules[i]
	own := d.policy.apply(rule, i+1, found)
	switch {
	case found.is == yes:
		return own
	case found.is == no:
		return d.from(i + 1)
	case own.Require == RequireDeny: // nothing is stricter
		return d.policy.either(rule, i+1, found, Decision{Require: RequireNone})
	}
	return d.policy.either(rule, i+1, found, d.from(i+1))
}

// member asks about each group once, so that two rules do not get two answers.
func (d *decider) member(group string) (bool, error) {
	a, ok := d.asked[group]
	switch {
	case ok:
	case d.request.InGroup == nil:
		a.err = errNoLookup
	default:
		a.in, a.err = d.request.InGroup(group)
	}
	d.asked[group] = a
	return a.in, a.err
}

// unmatched is the decision where no rule matches.
func (p *Policy) unmatched() Decision {
	return Decision{
		Require: RequireCode, Methods: p.Usable(method.All()), Trust: p.trusts(Rule{}),
		Newcomers: p.newcomers(Rule{}),
		Why:       "no rule matches: a code is required",
	}
}

// apply is the decision of a rule that matched.
func (p *Policy) apply(rule Rule, number int, found finding) Decision {
	d := Decision{
		Require: rule.Require, Rule: number, Line: rule.Line, Why: explain(rule, number, found),
	}
	if rule.Require != RequireCode {
		return d
	}
	d.Methods, d.Trust = p.Usable(rule.Methods), p.trusts(rule)
	d.Newcomers = p.newcomers(rule)
	if rule.Methods == nil {
		d.Methods = p.Usable(method.All())
	}
	return d
}

// Usable returns the methods without those that [phone] switches off.
func (p *Policy) Usable(methods []method.Method) []method.Method {
	off := func(m method.Method) bool { return m.Sent() && !slices.Contains(p.Phone.Methods, m) }
	return slices.DeleteFunc(slices.Clone(methods), off)
}

// Doubts is one printable line for the log: the conditions that could not be told and that made
// the decision a stricter one. It is empty if there are none.
func (d Decision) Doubts() string {
	var named []string
	more := 0
	for _, u := range slices.Backward(d.Unknown) {
		switch {
		case !u.Decided:
		case len(named) == maxNamed:
			more++
		default:
			named = append(named, u.String())
		}
	}
	if len(named) == 0 {
		return ""
	}
	if more > 0 {
		named = append(named, fmt.Sprintf("%d more", more))
	}
	return "cannot be checked: " + strings.Join(named, "; ")
}

// String is the condition and why it could not be told.
func (u Unknown) String() string {
	return fmt.Sprintf("rule %d, line %d, %s: %s", u.Rule, u.Line, u.Condition, u.Why)
}
