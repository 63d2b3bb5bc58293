package explain

import (
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// usable finds the methods among those accepted that cannot work. A user without a record, and one
// with a damaged record, has other troubles, which the rehearsal tells.
func (l Login) usable(e *Explanation, rules *policy.Policy) {
	account, err := l.Keyring.Open(l.User)
	if err != nil {
		return
	}
	defer account.Close()
	e.Unusable = []Unusable{}
	e.bypass = factor.Live(account.State.Bypass, l.Clock())
	for _, m := range e.Methods {
		if m == method.Key {
			e.Keys = l.keys(account, rules)
		}
		if why := l.obstacle(account, m, rules); why != "" {
			e.Unusable = append(e.Unusable, Unusable{m, why})
		}
	}
}

// obstacle is why a method cannot work; empty if it can.
func (l Login) obstacle(account *factor.Account, m method.Method, rules *policy.Policy) string {
	switch m {
	case method.SMS, method.Call:
		return l.phoneObstacle(account.Record.Devices, rules)
	case method.Recovery:
		if account.RecoveryLeft() == 0 {
			return "there is no unused recovery code"
		}
		return ""
	case method.Key:
		return l.keyObstacle(account, rules)
	}
	if !slices.ContainsFunc(account.Record.Devices,
		func(d record.Device) bool { return d.Type == m }) {
		return "the user has no such device"
	}
	return ""
}

// keys are the labels of the security keys with which the login is let in without a question.
func (l Login) keys(account *factor.Account, rules *policy.Policy) []string {
	all := []string{}
	for _, d := range account.Record.Devices {
		if d.Type == method.Key && l.From != "" && (d.Attested || !rules.RequireAttestation) {
			all = append(all, d.Label)
		}
	}
	return all
}

// keyObstacle is why no security key of the user's works; empty if one does.
func (l Login) keyObstacle(account *factor.Account, rules *policy.Policy) string {
	isKey := func(d record.Device) bool { return d.Type == method.Key }
	switch {
	case !slices.ContainsFunc(account.Record.Devices, isKey):
		return "the user has no such device"
	case l.From == "":
		return "only sshd says which key was used, and this login is a local one"
	case len(l.keys(account, rules)) == 0:
		return "no maker attests the user's security keys, and require_attestation asks for that"
	}
	return ""
}

func (l Login) phoneObstacle(devices []record.Device, rules *policy.Policy) string {
	phones := slices.DeleteFunc(slices.Clone(devices),
		func(d record.Device) bool { return d.Type != method.Phone })
	if len(phones) == 0 {
		return "the user has no phone"
	}
	if !slices.ContainsFunc(phones,
		func(d record.Device) bool { return rules.Phone.Allows(string(d.Secret)) }) {
		return "the number has none of the prefixes that latchkey.toml allows"
	}
	if err := l.Ready(); err != nil {
		return err.Error()
	}
	return ""
}
