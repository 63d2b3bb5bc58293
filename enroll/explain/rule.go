package explain

import (
	"slices"

	"latchkey/enroll/hint"
	"latchkey/pam/gate/names"
	"latchkey/pam/policy"
)

// decide asks the policy at path.
func (l Login) decide(e *Explanation, path string) error {
	rules, err := policy.Load(l.Root, path)
	if err != nil {
		return hint.Error(err.Error(), "until it can be read, every login is denied")
	}
	d := rules.Decide(policy.Request{User: l.User.Name, Service: e.Service, From: e.From,
		InGroup: l.member})
	e.Rule, e.Line, e.Why, e.Methods = d.Rule, d.Line, d.Why, d.Methods
	e.TrustDays, e.TrustBind = d.Trust.Days, append([]policy.Bind{}, d.Trust.Bind...)
	e.Unknown = append([]policy.Unknown{}, d.Unknown...)
	slices.Reverse(e.Unknown)
	l.usable(e, rules)
	return nil
}

// membership asks the name service as the gate does, and about each group once: the decision and
// the rehearsal get one answer.
func membership(account *names.Account) func(group string) (bool, error) {
	type answer struct {
		in  bool
		err error
	}
	known := map[string]answer{}
	return func(group string) (bool, error) {
		a, ok := known[group]
		if !ok {
			a.in, a.err = account.InGroup(group)
			known[group] = a
		}
		return a.in, a.err
	}
}
