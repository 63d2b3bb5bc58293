package fleet

import (
	"errors"

	"latchkey/enroll/hint"
	"latchkey/pam/fleet/wire"
)

// advice is what to do about the faults of a fleet. Whatever is not in it is a fault of the
// service's, for its log.
var advice = map[wire.Fault]struct{ what, next string }{
	wire.Role: {"this host may not do that", "log in where it may be done, or have the role given " +
		"to this host: on a service, latchkey-fleetd host role NAME ROLES"},
	wire.Revoked: {"the fleet does not know this host",
		"have a new ticket made with latchkey-fleetd host invite, and join again: " +
			"enroll fleet join"},
	wire.Quarantine: {"this host is in quarantine, because too many wrong codes came from it",
		"the fleet's administrator can end that: latchkey-fleetd host release"},
	wire.Unreachable: {"the fleet's service cannot be reached", "root: enroll fleet status"},
	wire.Clock: {"a clock is wrong", "compare this host's with the service's: " +
		"enroll fleet status"},
	wire.Quota: {"the fleet's database is full",
		"the fleet's administrator: latchkey-fleetd status"},
	wire.Rollback: {"the fleet's database is older than it was",
		"the fleet's administrator: latchkey-fleetd status"},
	wire.Epoch: {"the answer is from before the fleet was restored",
		"the fleet's administrator: latchkey-fleetd status"},
	wire.Forged: {"the answer is not from the fleet",
		"root: compare verify_key in fleet.toml with the fleet's; enroll fleet status"},
}

// Explain says what to do about an error that is one of the fleet, and not of an account; nil if
// it is none.
func Explain(err error) error {
	var e *wire.Error
	if !errors.As(err, &e) {
		return nil
	}
	if e.Fault == wire.Unknown {
		return hint.Error("the fleet did not answer in time ("+e.Error()+
			"); it may have done what was asked", "see what came of it: enroll status")
	}
	known, ok := advice[e.Fault]
	if !ok {
		known.what, known.next = "the fleet could not do it",
			"its services' log says more (latchkey-fleetd)"
	}
	return hint.Error(known.what+" ("+e.Error()+"); nothing was changed", known.next)
}
