package authority_test

import (
	"errors"
	"fmt"
	"testing"

	"latchkey/pam/authority"
	"latchkey/pam/factor"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// sentinels are all errors that callers tell apart.
var sentinels = []error{
	factor.ErrUnenrolled, factor.ErrRecord, factor.ErrState, factor.ErrNotYet, state.ErrSave,
	safefile.ErrBusy, safefile.ErrGone,
}

func TestFaultBecomesAnErrorThatCallersCannotTellFromTheFirst(t *testing.T) {
	wrap := func(errs ...any) error {
		if len(errs) == 1 {
			return fmt.Errorf("%w: /some/file", errs...)
		}
		return fmt.Errorf("%w: %w", errs...)
	}
	for want, err := range map[authority.Fault]error{
		"unenrolled": factor.ErrUnenrolled,
		"record":     &factor.NamesakeError{Name: "alice", Other: "bob", UID: 1000},
		"state":      factor.StateError("alice", state.ErrDamaged),
		"gone":       factor.StateError("alice", safefile.ErrGone),
		"busy":       factor.StateError("alice", safefile.ErrBusy),
		"save":       wrap(factor.ErrState, state.ErrSave),
		"internal":   errors.New("no such luck"),
	} {
		got := authority.FaultOf(wrap(err))
		if got != want {
			t.Errorf("%v: got the fault %q, want %q", err, got, want)
		}
		again := got.Error(err.Error())
		if again.Error() != err.Error() {
			t.Errorf("got the text %q, want %q", again, err)
		}
		for _, sentinel := range sentinels {
			if errors.Is(again, sentinel) != errors.Is(err, sentinel) {
				t.Errorf("%q: got that it matches %q: %v, want %v", got, sentinel,
					errors.Is(again, sentinel), errors.Is(err, sentinel))
			}
		}
	}
}

func TestFaultThatIsNotKnownIsAnErrorThatMatchesNothing(t *testing.T) {
	for _, f := range []authority.Fault{"", "internal", "Unenrolled", "ok", "accepted"} {
		err := f.Error("some text")
		if err == nil || err.Error() != "some text" {
			t.Errorf("%q: got %v, want an error with the text", f, err)
		}
		for _, sentinel := range sentinels {
			if errors.Is(err, sentinel) {
				t.Errorf("%q: got an error that matches %q", f, sentinel)
			}
		}
		if got := authority.FaultOf(err); got != authority.Internal {
			t.Errorf("%q: got the fault %q of its error, want %q", f, got, authority.Internal)
		}
	}
	if got := authority.FaultOf(nil); got != "" {
		t.Errorf("got the fault %q of no error", got)
	}
}
