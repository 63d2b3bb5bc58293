package flow

import (
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// byKey lets in a user whose enrolled security key sshd has accepted in this connection. Its
// outcome is undecided if there is no such key: then the login goes on as if there were no
// security keys.
func (d *dialog) byKey(account *factor.Account) verdict.Outcome {
	if !slices.Contains(d.methods, method.Key) {
		return verdict.Undecided
	}
	m, err := account.UseKey(factor.Presented{
		Keys: d.r.acceptedKeys(), OnlyAttested: d.policy.RequireAttestation, At: d.Clock(),
		Service: d.r.Service, From: d.r.address(),
	}, d.limits)
	switch {
	case err != nil:
		return d.unusable(err)
	case m.Result == factor.Locked:
		return d.denyLocked(m.Lockout)
	case m.Result != factor.Accepted:
		return verdict.Undecided
	}
	d.tellRefused(m.Refused)
	d.network(m.NewNetwork)
	return verdict.Outcome{
		Allow: true, Reason: verdict.OK, Method: string(m.Method), Device: m.Device.Label,
	}
}

// nothingToAsk denies a user for whom no prompt would be of any use.
func (d *dialog) nothingToAsk(account *factor.Account) verdict.Outcome {
	isKey := func(device record.Device) bool { return device.Type == method.Key }
	hasKey := slices.ContainsFunc(account.Record.Devices, isKey)
	if hasKey && slices.Contains(d.methods, method.Key) {
		d.say(prompt.OnlyKey)
		return verdict.Deny(verdict.Forbidden,
			"sshd has accepted no security key of the user's, who has nothing else")
	}
	d.say(prompt.NoneUsable)
	return verdict.Deny(verdict.Forbidden,
		"the user has no device of a method that is allowed here")
}
