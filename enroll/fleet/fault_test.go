package fleet_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"latchkey/enroll/fleet"
	"latchkey/enroll/hint"
	"latchkey/pam/fleet/wire"
)

// What is done stays done, so a command that was interrupted must not say that nothing is.
func TestInterruptedCommandSaysWhatIsDone(t *testing.T) {
	for _, c := range []struct {
		fault   wire.Fault
		changed int
		want    string
	}{
		{wire.Role, 0, "this host may not do that (role: x); nothing was changed"},
		{wire.Role, 3, "this host may not do that (role: x); users changed before that: 3"},
		{wire.Unreachable, 0, "the fleet's service cannot be reached (unreachable: x); " +
			"nothing was changed"},
		{wire.Unreachable, 1, "the fleet's service cannot be reached (unreachable: x); " +
			"users changed before that: 1"},
		{wire.Unknown, 0, "the fleet did not answer in time (unknown: x); " +
			"users changed before that: 0"},
		{wire.Unknown, 2, "the fleet did not answer in time (unknown: x); " +
			"users changed before that: 2"},
		{wire.Protocol, 2, "the fleet could not do it (protocol: x); users changed before that: 2"},
		{wire.Epoch, 0, "the answer is from before the fleet was restored (epoch: x); " +
			"it may have been done anyway"},
		{wire.Forged, 0, "the answer is not from the fleet (forged: x); " +
			"it may have been done anyway"},
		{wire.Internal, 0, "the fleet could not do it (internal: x); " +
			"it may have been done anyway"},
		{wire.Clock, 0, "a clock is wrong (clock: x); the service that answered changed nothing"},
	} {
		err := fleet.Interrupted(fmt.Errorf("alice: %w", wire.Errorf(c.fault, "x")), c.changed)
		if explained := fleet.Explain(err); explained != nil {
			err = explained
		}
		if err.Error() != c.want {
			t.Errorf("%s, %d changed: got %q, want %q", c.fault, c.changed, err, c.want)
		}
		if next := hint.Of(err); c.changed > 0 && !strings.Contains(next, "run the command again") {
			t.Errorf("%s, %d changed: got the hint %q", c.fault, c.changed, next)
		}
	}
	other := errors.New("the disk is full")
	if got := fleet.Interrupted(other, 3); got != other {
		t.Errorf("got %v, want %v as it is", got, other)
	}
}

func TestOnlyFaultsOfTheFleetEndACommandAboutManyUsers(t *testing.T) {
	for err, want := range map[error]bool{
		wire.Errorf(wire.Role, "x"): true, wire.Errorf(wire.Unreachable, "x"): true,
		wire.Errorf(wire.Unknown, "x"): true, wire.Errorf(wire.Protocol, "x"): true,
		wire.Errorf(wire.Internal, "crashed, with this user"): false,
		errors.New("the record of this user is damaged"):      false,
	} {
		if got := fleet.Ends(err); got != want {
			t.Errorf("%v: got %v, want %v", err, got, want)
		}
	}
}
