package session

import (
	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/breakglass"
	fleet "latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/safefile"
	twilio "latchkey/pam/twilio/dispatch"
)

// accounts is the authority of the login: the host itself or, where there is a fleet.toml, its
// fleet. own is nil in a fleet, whatever else is wrong: the records of the host itself, which may
// be there from before, let no one in.
func (s *Session) accounts(watched int, patience safefile.Patience) (
	a authority.Authority, own *factor.Keyring) {
	if settings.InFleet(s.Root) {
		s.carrier = fleet.Dispatcher{Root: s.Root, Clock: s.Clock, Watched: watched, Keep: true}
		return &authority.Later{Open: func() authority.Authority { return s.fleet(patience) }}, nil
	}
	keyring := factor.NewKeyring(s.Root, patience)
	return &authority.Local{
		Keyring:  keyring,
		Verifier: &twilio.Dispatcher{Root: s.Root, Clock: s.Clock, Watched: watched},
		Clock:    s.Clock,
	}, &keyring
}

// fleet is the fleet's service and, while it cannot be reached, the host's break-glass codes. The
// connection is made while the host's key is read: both take milliseconds.
func (s *Session) fleet(patience safefile.Patience) authority.Authority {
	_ = s.carrier.Start() // an error of it shows once it carries
	known, err := settings.LoadPublic(s.Root)
	if err == nil {
		s.carrier.Meanwhile = known.VerifyKey[0].Prepare
		s.carrier.Open(known)
		known.Key, err = settings.LoadKey(s.Root)
	}
	if err != nil {
		return authority.Unusable{Because: err}
	}
	return &breakglass.Authority{
		Fleet: authority.LeftBehind{
			Authority: remote.Authority{Client: remote.New(s.Root, known, &s.carrier)},
			Has:       func(user string) bool { return settings.HasOwn(s.Root, user) },
		},
		Own: &authority.Local{
			Keyring: breakglass.Keyring(s.Root, patience), Clock: s.Clock,
		},
		May: known.MayBreakGlass,
	}
}
