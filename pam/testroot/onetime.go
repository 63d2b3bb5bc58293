package testroot

import (
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/state"
)

// OneTimeCode makes a code as root gives it out, and what is kept of it.
func OneTimeCode(t testing.TB, until time.Time) (code string, kept state.OneTimeCode) {
	t.Helper()
	printed, kept, err := enrollment.NewOneTimeCode(until)
	Must(t, err)
	code, ok := normalize.AnyCode(printed)
	if !ok {
		t.Fatalf("%q is no code", printed)
	}
	return code, kept
}
