package main

import (
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// unusable is a method that the policy accepts and that cannot work for this user now.
type unusable struct {
	Method method.Method `json:"method"`
	Why    string        `json:"why"`
}

// usable finds the methods among those accepted that cannot work. A user without a record, and one
// with a damaged record, has other troubles, which the rehearsal tells.
func (p *program) usable(e *explanation, who identity, rules *policy.Policy) error {
	account, err := p.keyring.Open(who.User)
	if err != nil {
		return nil
	}
	defer account.Close()
	e.Unusable = []unusable{}
	e.bypass = factor.Live(account.State.Bypass, p.clock())
	for _, m := range e.Methods {
		if why := p.obstacle(account, m, rules); why != "" {
			e.Unusable = append(e.Unusable, unusable{m, why})
		}
	}
	return nil
}

// stuck reports whether no accepted method works.
func (e *explanation) stuck() bool {
	return !e.bypass && len(e.Methods) > 0 && len(e.Unusable) == len(e.Methods)
}

// obstacle is why a method cannot work; empty if it can.
func (p *program) obstacle(account *factor.Account, m method.Method, rules *policy.Policy) string {
	switch m {
	case method.SMS, method.Call:
		return p.phoneObstacle(account.Record.Devices, rules)
	case method.Recovery:
		if account.RecoveryLeft() == 0 {
			return "there is no unused recovery code"
		}
		return ""
	}
	if !slices.ContainsFunc(account.Record.Devices,
		func(d record.Device) bool { return d.Type == m }) {
		return "the user has no such device"
	}
	return ""
}

func (p *program) phoneObstacle(devices []record.Device, rules *policy.Policy) string {
	phones := slices.DeleteFunc(slices.Clone(devices),
		func(d record.Device) bool { return d.Type != method.Phone })
	if len(phones) == 0 {
		return "the user has no phone"
	}
	if !slices.ContainsFunc(phones,
		func(d record.Device) bool { return rules.Phone.Allows(string(d.Secret)) }) {
		return "the number has none of the prefixes that latchkey.toml allows"
	}
	var err error
	_ = p.AsRoot(func() error {
		err = p.newVerifier().Ready()
		return nil
	})
	if err != nil {
		return err.Error()
	}
	return ""
}
