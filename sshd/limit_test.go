package sshd_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

func TestTooManyWrongCodesLockAndTheLockEndsByItself(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		for lock := 15 * time.Second; !locksFor(t, h, lock); lock *= 2 {
		}
	})
}

// locksFor locks a user for some time, and reports whether the right code was denied meanwhile: on
// a slow machine the lock may be over before it is typed.
func locksFor(t *testing.T, h *suite.Host, lock time.Duration) bool {
	t.Helper()
	s := configured(t, h, "limited", fmt.Sprintf("[limits]\nfailures = \"4/10m\"\n"+
		"lock = \"%.0fs\"\n", lock.Seconds()))
	u := enrolled(t, h)
	wrong := suite.Attempt{User: u.Name, Key: shared.Key, Codes: u.WrongCodes()}
	right := func() *suite.Outcome {
		o := s.Login(suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
		o.Close()
		return o
	}
	denied(t, s, wrong)
	began := time.Now() // the lock begins later
	denied(t, s, wrong)
	if o := right(); o.In() {
		if passed := time.Since(began); passed < lock {
			t.Fatalf("allowed after %v of a lock of %v", passed, lock)
		}
		return false
	}
	audited(t, h, u.Name, 3, "verdict=deny", "reason=locked")
	must(t, poll.Until("the lock to end", lock+time.Minute, func() error { return right().Err }))
	return true
}

func TestWrongCodesInParallelAreComparedAtMostAsOftenAsTheLimit(t *testing.T) {
	const connections, limit = 20, 10
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.KeyAndCode), enrolled(t, h)
		var ended sync.WaitGroup
		for range connections {
			ended.Add(1)
			go func() {
				defer ended.Done()
				s.Login(suite.Attempt{
					User:  u.Name,
					Key:   shared.Key,
					Codes: u.WrongCodes(),
				}).Close()
			}()
		}
		ended.Wait()
		lines, err := h.Audit(u.Name, connections)
		must(t, err)
		compared := 0
		for _, line := range lines {
			switch {
			case strings.Contains(line, " reason=wrong "):
				compared++
			case !strings.Contains(line, " reason=locked "):
				t.Errorf("neither wrong nor locked: %s", line)
			}
		}
		// A login whose last guess was compared says "wrong", and each such login took at least
		// one of the ten guesses.
		if compared > limit {
			t.Errorf("%d logins ended with a compared code, the limit is %d", compared, limit)
		}
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
		audited(t, h, u.Name, connections+1, "reason=locked")
	})
}

// FAULTS 38.
func TestSavedPasswordSentAsTheCodeIsNotCountedAsAGuess(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		always := suite.Attempt{
			User:     u.Name,
			Password: suite.Password,
			Codes:    slices.Repeat([]string{suite.Password}, 6),
		}
		for range 4 {
			denied(t, s, always)
		}
		name := suite.Attempt{
			User:     u.Name,
			Password: suite.Password,
			Codes:    []string{suite.Password, u.Name, u.Code()},
		}
		if o := allowed(t, s, name); len(o.Prompts) != 4 {
			t.Errorf("got prompts %q", o.Prompts)
		}
	})
}
