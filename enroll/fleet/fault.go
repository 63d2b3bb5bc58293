package fleet

import (
	"cmp"
	"errors"
	"fmt"

	"latchkey/enroll/hint"
	"latchkey/pam/fleet/wire"
)

// remedy is what to do about a fault.
type remedy struct{ what, next string }

// unknown is for faults of the service's own.
var unknown = remedy{"the fleet could not do it", "its services' log says more (latchkey-fleetd)"}

// advice is what to do about the faults of a fleet. Whatever is not in it is a fault of the
// service's, for its log.
var advice = map[wire.Fault]remedy{
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

// Ends reports whether an error of enroll's questions about accounts is one of the fleet, so that
// it is of no use to ask about the next user.
func Ends(err error) bool {
	var e *wire.Error
	return errors.As(err, &e) && e.Fault != wire.Internal
}

// Interrupted says what to do about an error of the fleet that ended a command about many users,
// some of whom were changed before.
func Interrupted(err error, changed int) error {
	var e *wire.Error
	if !errors.As(err, &e) || changed == 0 && e.Fault != wire.Unknown {
		return err // Explain says it
	}
	known, ok := advice[e.Fault]
	switch {
	case e.Fault == wire.Unknown:
		known = remedy{"the fleet did not answer in time", "root: enroll fleet status"}
	case !ok:
		known = unknown
	}
	return hint.Error(fmt.Sprintf("%s (%s); users changed before that: %d", known.what, e.Error(),
		changed), known.next+"; then run the command again: those who are done stay as they are")
}

// undone says, by fault, what was certainly not done. A fault that is not listed leaves that open:
// a service may have crashed after the change, or another one, which was asked because the first
// was slow, may have made it.
var undone = map[wire.Fault]string{
	wire.Role: nothing, wire.Revoked: nothing, wire.Quarantine: nothing, wire.Unreachable: nothing,
	wire.Quota: nothing, wire.Clock: notThere, wire.Rollback: notThere,
}

const (
	nothing  = "nothing was changed"
	notThere = "the service that answered changed nothing"
	maybe    = "it may have been done anyway"
)

// Unsure explains what may have become of secrets that only this command has, if an error of the
// fleet leaves open whether they count: what the user had before may no longer work. It returns
// every other error as it is.
func Unsure(err error, may, next string) error {
	var e *wire.Error
	if !errors.As(err, &e) || undone[e.Fault] == nothing {
		return err
	}
	return hint.Error("it is not known what the fleet did ("+e.Error()+"); "+may, next)
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
		known = unknown
	}
	return hint.Error(known.what+" ("+e.Error()+"); "+cmp.Or(undone[e.Fault], maybe), known.next)
}
