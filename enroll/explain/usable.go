package explain

import (
	"slices"

	"latchkey/pam/accounts"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// usable finds the methods among those accepted that cannot work. A user without a record, and one
// with a damaged record, has other troubles, which the rehearsal tells.
func (l Login) usable(e *Explanation, rules *policy.Policy) {
	r, st, err := l.Accounts.View(l.User)
	if err != nil {
		return
	}
	e.Unusable = []Unusable{}
	e.bypass = factor.Live(st.Bypass, l.Clock())
	for _, m := range e.Methods {
		why := l.obstacle(r, m, rules)
		if m == method.Recovery && factor.RecoveryLeft(r, st) == 0 {
			why = "there is no unused recovery code"
		}
		if why != "" {
			e.Unusable = append(e.Unusable, Unusable{m, why})
		}
		if m == method.Key && why == "" {
			for _, d := range l.keys(r, rules) {
				e.Keys = append(e.Keys, d.Label)
			}
		}
	}
}

// obstacle is why a method cannot work; empty if it can.
func (l Login) obstacle(r *record.Record, m method.Method, rules *policy.Policy) string {
	switch m {
	case method.SMS, method.Call:
		return l.phoneObstacle(r.Devices, rules)
	case method.Recovery:
		return ""
	case method.Key:
		return l.keyObstacle(r, rules)
	}
	if !slices.ContainsFunc(r.Devices,
		func(d record.Device) bool { return d.Type == m }) {
		return "the user has no such device"
	}
	return ""
}

// keys are the security keys with which the login is let in without a question.
func (l Login) keys(r *record.Record, rules *policy.Policy) (all []record.Device) {
	for _, d := range r.Devices {
		if d.Type == method.Key && l.From != "" && (d.Attested || !rules.RequireAttestation) {
			all = append(all, d)
		}
	}
	return all
}

// keyObstacle is why no security key of the user's works; empty if one does.
func (l Login) keyObstacle(r *record.Record, rules *policy.Policy) string {
	isKey := func(d record.Device) bool { return d.Type == method.Key }
	switch {
	case !slices.ContainsFunc(r.Devices, isKey):
		return "the user has no such device"
	case l.From == "":
		return "only sshd says which key was used, and this login is a local one"
	case len(l.keys(r, rules)) == 0:
		return "no maker attests the user's security keys, and require_attestation asks for that"
	}
	return l.unkeyed(l.keys(r, rules))
}

func (l Login) phoneObstacle(devices []record.Device, rules *policy.Policy) string {
	phones := slices.DeleteFunc(slices.Clone(devices),
		func(d record.Device) bool { return d.Type != method.Phone })
	if len(phones) == 0 {
		return "the user has no phone"
	}
	// What a fleet does not show it decides by itself.
	if !slices.ContainsFunc(phones, func(d record.Device) bool {
		return accounts.Redacted(d) || rules.Phone.Allows(string(d.Secret))
	}) {
		return "the number has none of the prefixes that latchkey.toml allows"
	}
	if err := l.Ready(); err != nil {
		return err.Error()
	}
	return ""
}
