package authority

import (
	"fmt"
	"slices"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy"
)

// bound is a login under what both its own policy and l's allow.
func (l *Local) bound(login Login) Login {
	if l.Policy == nil {
		return login
	}
	return Stricter(login, l.Policy)
}

// Stricter is a login under what both its host's policy and p allow. The rules of p are not asked:
// they are about logins on a host of their own.
func Stricter(login Login, p *policy.Policy) Login {
	login.Methods = p.Usable(login.Methods)
	login.Limits = login.Limits.Stricter(p.Limits)
	login.OnlyAttested = login.OnlyAttested || p.RequireAttestation
	before := login.Trust
	login.Trust = before.Stricter(p.Trust)
	if before.Days != login.Trust.Days || !slices.Equal(before.Bind, login.Trust.Bind) {
		// trust that was given under another policy means nothing under this one
		login.Terms += fmt.Sprintf(" %d %q", login.Trust.Days, login.Trust.Bind)
	}
	return login
}

// reachable are the channels that l's policy allows, too.
func (l *Local) reachable(channels []method.Method) []method.Method {
	if l.Policy == nil {
		return channels
	}
	return l.Policy.Usable(channels)
}

// sends are the limits of a send.
func (l *Local) sends(s Send) limit.Sends {
	limits := s.Phone.Sends
	if l.Policy != nil {
		limits = limits.Stricter(l.Policy.Phone.Sends)
	}
	limits.AtOnce = s.AtOnce
	return limits
}
