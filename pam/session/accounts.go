package session

import (
	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/breakglass"
	fleet "latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/flow"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/safefile"
	twilio "latchkey/pam/twilio/dispatch"
)

// accounts is the authority of the login: the host itself or, where there is a fleet.toml, its
// fleet. own is nil in a fleet, whatever else is wrong: the records of the host itself, which may
// be there from before, let no one in.
func (s *Session) accounts(watched int, patience safefile.Patience) (
	a authority.Authority, own *authority.Local) {
	if settings.InFleet(s.Root) {
		return s.fleet(watched, patience), nil
	}
	own = &authority.Local{
		Keyring:  factor.NewKeyring(s.Root, patience),
		Verifier: &twilio.Dispatcher{Root: s.Root, Clock: s.Clock, Watched: watched},
		Clock:    s.Clock,
	}
	return own, own
}

// fleet is the fleet's service and, while it cannot be reached, the host's break-glass codes.
func (s *Session) fleet(watched int, patience safefile.Patience) authority.Authority {
	known, err := settings.Load(s.Root)
	if err != nil {
		return authority.Unusable{Because: err}
	}
	carrier := &fleet.Dispatcher{Root: s.Root, Clock: s.Clock, Watched: watched}
	return &breakglass.Authority{
		Fleet: remote.Authority{Client: remote.New(s.Root, known, carrier)},
		Own: &authority.Local{
			Keyring: breakglass.Keyring(s.Root, patience), Clock: s.Clock,
		},
		May: known.MayBreakGlass,
	}
}

// notHere denies a user who must enroll first, where the accounts are not this host's.
func notHere(f flow.Flow) verdict.Outcome {
	f.Inform(prompt.NotSetUp)
	return verdict.Deny(verdict.Unenrolled,
		"users of a fleet enroll with enroll, on a host that may do so, and not in a login")
}
