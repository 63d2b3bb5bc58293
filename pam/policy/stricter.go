package policy

import (
	"slices"

	"latchkey/pam/method"
)

// either is the decision where a rule may match and may not; below is the decision if it does not.
func (p *Policy) either(rule Rule, number int, found finding, below Decision) Decision {
	own := p.apply(rule, number, found)
	d := stricter(own, below)
	d.Unknown = slices.Clone(below.Unknown)
	for _, u := range slices.Backward(found.unknown) {
		u.Rule, u.Line, u.Decided = number, rule.Line, !same(own, below)
		d.Unknown = append(d.Unknown, u)
	}
	return d
}

// stricter returns a decision that lets no one in whom a or b would keep out, and accepts
// nothing that one of them does not. Everything in a Decision that says what a login must do is
// combined here and compared in same, and nowhere else.
func stricter(a, b Decision) Decision {
	switch {
	case strictness(a.Require) > strictness(b.Require):
		return a
	case strictness(a.Require) < strictness(b.Require) || a.Require != RequireCode:
		return b
	}
	if !same(a, b) { // a trust that was given under one of them means nothing under the other
		a.Trust, b.Trust = Trust{}, Trust{}
	}
	a.Newcomers = stricterNewcomers(a.Newcomers, b.Newcomers)
	b.Newcomers = a.Newcomers
	both := slices.DeleteFunc(slices.Clone(a.Methods), missing(b.Methods))
	switch {
	case len(both) == 0:
		a.Require, a.Methods = RequireDeny, nil
		a.Why += "; no method that is accepted either way"
		return a
	case len(both) == len(b.Methods):
		return b
	case len(both) < len(a.Methods):
		a.Why += "; methods that are accepted either way"
	}
	a.Methods = both
	return a
}

// same reports whether two decisions ask the same of a login, whichever rule made them.
func same(a, b Decision) bool {
	return strictness(a.Require) == strictness(b.Require) &&
		a.Newcomers == b.Newcomers && a.Trust.Days == b.Trust.Days &&
		slices.Equal(a.Trust.Bind, b.Trust.Bind) &&
		!slices.ContainsFunc(a.Methods, missing(b.Methods)) &&
		!slices.ContainsFunc(b.Methods, missing(a.Methods))
}

// missing reports whether a method is not in the list.
func missing(list []method.Method) func(method.Method) bool {
	return func(m method.Method) bool { return !slices.Contains(list, m) }
}

// strictness orders what a rule can require; a word that is not known denies.
func strictness(r Require) int {
	switch r {
	case RequireNone:
		return 0
	case RequireCode:
		return 1
	}
	return 2
}
