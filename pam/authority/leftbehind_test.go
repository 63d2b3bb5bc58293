package authority_test

import (
	"errors"
	"testing"

	"latchkey/pam/authority"
	"latchkey/pam/factor"
)

// mover is a fleet that has nothing of a user who is moved while it is asked.
type mover struct {
	authority.Authority
	moves func()
}

func (m mover) Begin(authority.Login) (authority.Beginning, error) {
	m.moves()
	return authority.Beginning{}, factor.ErrUnenrolled
}

func TestUserWhoIsMovedWhileTheFleetIsAskedIsNotOneWithoutASecondFactor(t *testing.T) {
	for name, c := range map[string]struct{ before, after, want bool }{
		"into the fleet":     {true, false, true},
		"out of it":          {false, true, true},
		"not moved":          {true, true, true},
		"no record anywhere": {false, false, false},
	} {
		has := c.before
		l := authority.LeftBehind{Authority: mover{moves: func() { has = c.after }},
			Has: func(string) bool { return has }}
		_, err := l.Begin(authority.Login{})
		if got := errors.Is(err, authority.ErrLeftBehind); got != c.want ||
			!errors.Is(err, factor.ErrUnenrolled) {
			t.Errorf("%s: got %v, left behind %v, want %v", name, err, got, c.want)
		}
	}
}
