package sshd_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/sshd/poll"
	"latchkey/sshd/suite"
)

// standing returns the login programs that run for the server's users at this moment.
func standing(t *testing.T, h *suite.Host) (pids []int) {
	t.Helper()
	all, err := h.Processes()
	must(t, err)
	for _, p := range all {
		if strings.HasPrefix(p.Name, "latchkey-login") {
			pids = append(pids, p.Pid)
		}
	}
	return pids
}

// gone waits for the processes to end; a zombie has not ended.
func gone(t *testing.T, h *suite.Host, pids []int) {
	t.Helper()
	must(t, poll.Until("the login programs to end", time.Minute, func() error {
		for _, pid := range standing(t, h) {
			if slices.Contains(pids, pid) {
				return fmt.Errorf("process %d is still there", pid)
			}
		}
		return nil
	}))
}

func TestDisconnectAtThePromptLeavesNothingBehind(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		var pids []int
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, AtCode: func() error {
			pids = standing(t, h)
			return suite.ErrHungUp
		}})
		if len(pids) != 1 {
			t.Errorf("%d login programs at the prompt, not one", len(pids))
		}
		gone(t, h, pids)
		audited(t, h, u.Name, 1, "verdict=deny", "reason=conversation", "tries=0")
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
	})
}

func TestLoginGraceTimeAtThePromptLeavesNothingBehind(t *testing.T) {
	onEach(t, func(t *testing.T, _ *suite.Host) {
		h := private(t)
		config := suite.PasswordAndCode
		config.Options = []string{"LoginGraceTime 15"}
		s, u := ownServer(t, h, config), enrolled(t, h)
		var pids []int
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password,
			Codes: []string{u.Code()}, AtCode: func() error {
				pids = standing(t, h)
				return poll.Until("the end of LoginGraceTime", time.Minute, func() error {
					if now := standing(t, h); len(now) > 0 {
						return fmt.Errorf("login programs %v are still there", now)
					}
					return nil
				})
			}})
		if len(pids) != 1 {
			t.Errorf("%d login programs at the prompt, not one", len(pids))
		}
		audited(t, h, u.Name, 1, "verdict=deny", "reason=conversation")
		allowed(t, s,
			suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{u.Code()}})
	})
}

func TestGuessStaysChargedAfterADisconnect(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := configured(t, h, "charged", "[limits]\nfailures = \"2/10m\"\nlock = \"15m\"\n")
		u := enrolled(t, h)
		for range 2 {
			guesses := 0
			hungUp(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: u.WrongCodes(),
				AtCode: func() error {
					if guesses++; guesses > 1 {
						return suite.ErrHungUp
					}
					return nil
				}})
		}
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
		audited(t, h, u.Name, 3, "verdict=deny", "reason=locked")
		_, err := h.Exec("", "/usr/bin/enroll", "unlock", u.Name)
		must(t, err)
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{u.Code()}})
	})
}
