package authority

import (
	"net/netip"
	"slices"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
	"latchkey/pam/trust"
)

// Login is a login, and what the policy of its host says about it.
type Login struct {
	User    record.User
	Service string     // the PAM service
	From    netip.Addr // the zero Addr: not from a literal address
	// Host is empty on a single host. In a fleet, where trust counts on one host only, the service
	// sets it to the host whose signature is on the question, and its key.
	Host string `json:",omitempty"`

	Methods []method.Method // that the rule allows
	Limits  limit.Guesses
	Keys    []sshkey.Key // that sshd accepted in this connection
	// OnlyAttested: a security key counts only if its maker has attested that it is one.
	OnlyAttested bool
	Trust        policy.Trust // whether the computer may be trusted
	Terms        string       // under which
	// Rehearsal: no one logs in, so no one is noted as let in.
	Rehearsal bool
}

// allows reports whether codes of a device that makes them by itself, or recovery codes, may be
// used.
func (l Login) allows(m method.Method) bool { return slices.Contains(l.Methods, m) }

// Computer is where the login comes from, and what was decided about trusting it.
func (l Login) Computer() trust.Computer {
	if l.Trust.Days == 0 {
		return trust.Computer{}
	}
	return trust.Computer{
		Trust: l.Trust, Terms: l.Terms, Service: l.Service, Host: l.Host, Keys: l.Keys,
		From: l.From,
	}
}
