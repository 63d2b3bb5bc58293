package sshd_test

import (
	"testing"

	"latchkey/sshd/suite"
)

func TestTwoHundredLoginsInARowDoNotHang(t *testing.T) {
	const logins = 200
	onEach(t, func(t *testing.T, h *suite.Host) {
		for _, way := range []struct {
			name    string
			config  suite.Config
			attempt suite.Attempt
		}{
			{"by password and code", suite.PasswordAndCode,
				suite.Attempt{Password: suite.Password}},
			{"by key and code", suite.KeyAndCode, suite.Attempt{Key: shared.Key}},
		} {
			t.Run(way.name, func(t *testing.T) {
				s := server(t, h, way.config)
				users, err := h.Users(logins / 2)
				must(t, err)
				for _, u := range users {
					must(t, u.Enroll())
					for i := range 2 {
						a := way.attempt
						a.User, a.Codes = u.Name, []string{u.CodeAt(i)}
						o := s.Login(a)
						if !o.In() {
							t.Fatalf("denied: %v\n%s", o.Err, logOf(h, u.Name))
						}
						o.Close()
					}
				}
				last := users[len(users)-1]
				a := way.attempt
				a.User, a.Codes = last.Name, []string{last.Code()}
				denied(t, s, a)
			})
		}
	})
}
