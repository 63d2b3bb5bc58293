package sshd_test

import (
	"sync"
	"testing"

	"latchkey/sshd/suite"
)

func TestCodeIsAcceptedOnce(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.PasswordAndCode), enrolled(t, h)
		code := u.Code()
		allowed(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}})
		denied(t, s, suite.Attempt{User: u.Name, Password: suite.Password, Codes: []string{code}})
		audited(t, h, u.Name, 2, "verdict=deny", "reason=replayed")
	})
}

func TestAnOlderCodeIsRefusedAfterANewerOne(t *testing.T) {
	onEach(t, func(t *testing.T, h *suite.Host) {
		s, u := server(t, h, suite.KeyAndCode), enrolled(t, h)
		older, newer := u.Code(), u.CodeAt(1)
		allowed(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{newer}})
		denied(t, s, suite.Attempt{User: u.Name, Key: shared.Key, Codes: []string{older}})
		audited(t, h, u.Name, 2, "verdict=deny", "reason=replayed")
	})
}

// Eight connections stand at the prompt and send the same code at the same moment. (With
// google-authenticator and pam_oath more than one gets in.)
func TestEightParallelLoginsWithOneCodeGiveOneShell(t *testing.T) {
	const rounds, parallel = 100, 8
	onEach(t, func(t *testing.T, h *suite.Host) {
		s := server(t, h, suite.KeyAndCode)
		users, err := h.Users(rounds)
		must(t, err)
		for round, u := range users {
			must(t, u.Enroll())
			if in := race(s, u, parallel); in != 1 {
				t.Fatalf("round %d: %d of %d logins succeeded\n%s", round, in, parallel,
					logOf(h, u.Name))
			}
		}
	})
}

// race returns the number of logins that got in. None sends the code before all of them are asked
// for it, or are denied.
func race(s *suite.Server, u *suite.User, parallel int) (in int) {
	var atPrompt, ended sync.WaitGroup
	atPrompt.Add(parallel)
	ended.Add(parallel)
	outcomes := make([]*suite.Outcome, parallel)
	code := u.Code()
	for i := range outcomes {
		go func() {
			defer ended.Done()
			var once sync.Once
			arrive := func() { once.Do(atPrompt.Done) }
			defer arrive()
			outcomes[i] = s.Login(suite.Attempt{User: u.Name, Key: shared.Key,
				Codes: []string{code}, AtCode: func() error {
					arrive()
					atPrompt.Wait()
					return nil
				}})
		}()
	}
	ended.Wait()
	for _, o := range outcomes {
		if o.In() {
			in++
		}
		o.Close()
	}
	return in
}
