package factor_test

import (
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// Of a guess that Twilio approves late no trace is left, no matter what other logins and the clock
// did meanwhile; and of theirs none is lost.
func TestOnlyTheApprovedGuessIsTakenBack(t *testing.T) {
	limits := limit.Guesses{Failures: limit.Rate{Count: 3, Window: time.Minute},
		Lock: 15 * time.Minute, Consecutive: 100}
	for name, c := range map[string]struct {
		before, later time.Duration // guesses of another login, from noon; 0: none
		answered      time.Duration
		left          int
	}{
		"nothing": {answered: time.Second},
		"another guess before": {before: -30 * time.Second, answered: time.Second,
			left: 1},
		"another guess since": {later: time.Second, answered: 2 * time.Second, left: 1},
		"another guess at the instant": {before: -time.Millisecond, answered: time.Second,
			left: 1},
		"a lock, by it and two others": {before: -time.Second, later: time.Second,
			answered: 2 * time.Second, left: 2},
		"the window has passed": {later: 2 * time.Minute, answered: 2 * time.Minute,
			left: 1},
		"the clock was set back":      {answered: -time.Hour},
		"set back, and another guess": {later: -time.Hour, answered: -time.Hour, left: 1},
		"set back, and a lock": {before: -30 * time.Second, later: -time.Hour,
			answered: -time.Hour, left: 2},
	} {
		root, ids := phones(t, 1)
		wrong := func(after time.Duration) {
			if after != 0 {
				guessed(t, root, noon.Add(after), limits)
			}
		}
		pendingOf(t, root, ids[0], "VE1", noon)
		wrong(c.before)
		m := guessed(t, root, noon, limits)
		wrong(c.later)
		result, err := root.Keyring().EndCheck(record.User{Name: "user0", UID: uid}, m, 0,
			factor.Approved, limits, noon.Add(c.answered))
		st, _ := root.Keyring().States.View("user0")
		if err != nil || result != factor.Accepted || len(st.Failures) != c.left ||
			!st.Locked.IsZero() {
			t.Errorf("%s: got %v, %v, failures %v, locked %v; want it accepted, %d failures "+
				"and no lock",
				name, result, err, st.Failures, st.Locked, c.left)
		}
	}
}

// guessed is what becomes of a code that only Twilio can know.
func guessed(t *testing.T, root testroot.Root, at time.Time, limits limit.Guesses) factor.Match {
	t.Helper()
	account, err := root.Keyring().Open(record.User{Name: "user0", UID: uid})
	testroot.Must(t, err)
	defer account.Close()
	m, err := account.Verify(factor.Guess{Code: "123456", At: at, AcceptsSent: anySent}, limits)
	if testroot.Must(t, err); m.Result != factor.AskTwilio {
		t.Fatalf("got %+v, want a code for Twilio", m)
	}
	return m
}

func anySent(state.Pending) bool { return true }
