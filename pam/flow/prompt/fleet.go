package prompt

import (
	"fmt"

	"latchkey/pam/fleet/wire"
)

// What users of a fleet see when its service does not answer, or does not answer this host.
const (
	// Unreachable is also said while the service stops itself: nothing that is typed would help.
	Unreachable = "The login service cannot be reached. Nobody can log in with a code now."
	NotAllowed  = "This machine may not ask for codes."
	// MaybeUsed is said of everything else, because the code may have been compared.
	MaybeUsed = "Your code could not be checked. It may be used up: wait for the next one."

	// BreakGlass is said before the first prompt for a break-glass code, on a line of its own.
	BreakGlass     = "The login service cannot be reached.\n"
	UsedBreakGlass = "That break-glass code was used before."
)

// Fault is what users are told of a fault of the fleet.
func Fault(f wire.Fault) string {
	switch f {
	case wire.Unreachable, wire.Rollback, wire.Clock, wire.Quota:
		return Unreachable
	case wire.Revoked, wire.Quarantine, wire.Role:
		return NotAllowed
	}
	return MaybeUsed
}

// BreakGlassUsed tells the user of a break-glass code that was just used up, and how many are
// left.
func BreakGlassUsed(left int) string {
	if left == 1 {
		return "That break-glass code is used up; 1 is left on this host."
	}
	return fmt.Sprintf("That break-glass code is used up; %d are left on this host.", left)
}
