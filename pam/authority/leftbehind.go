package authority

import (
	"errors"
	"fmt"

	"latchkey/pam/factor"
)

// ErrLeftBehind says that a user who has nothing in the fleet had a second factor on this host
// before it joined, so that no policy for users without one applies. It comes with
// factor.ErrUnenrolled.
var ErrLeftBehind = errors.New("the fleet has nothing of the user, and this host has a record of " +
	"its own: enroll fleet import, or remove it")

// LeftBehind is the fleet's authority on a host that may have records from before it joined. They
// let no one in, but say that their users have a second factor.
type LeftBehind struct {
	Authority
	Has func(user string) bool // a record, as far as can be told
}

// Begin implements Authority. A user may be moved into the fleet or out of it meanwhile, so it
// looks for a record before and after it asks.
func (l LeftBehind) Begin(login Login) (Beginning, error) {
	had := l.Has(login.User.Name)
	b, err := l.Authority.Begin(login)
	if errors.Is(err, factor.ErrUnenrolled) && (had || l.Has(login.User.Name)) {
		err = fmt.Errorf("%w: %w", ErrLeftBehind, err)
	}
	return b, err
}
