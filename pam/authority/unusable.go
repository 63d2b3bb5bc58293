package authority

import (
	"errors"
	"fmt"

	"latchkey/pam/field"
	"latchkey/pam/record"
)

// ErrConfig says that what tells where the accounts are cannot be used.
var ErrConfig = errors.New("configuration")

// Unusable is the authority of a host on which it cannot be told where the accounts are. It lets
// no one in: another authority's accounts may be old, or gone.
type Unusable struct{ Because error }

var _ Authority = Unusable{}

func (u Unusable) err() error { return fmt.Errorf("%w: %w", ErrConfig, u.Because) }

// Begin implements Authority.
func (u Unusable) Begin(Login) (Beginning, error) { return Beginning{}, u.err() }

// Guess implements Authority.
func (u Unusable) Guess(Guess) (Guessed, error) { return Guessed{}, u.err() }

// Send implements Authority.
func (u Unusable) Send(Send) (Sent, error) { return Sent{}, u.err() }

// Crowded implements Authority.
func (u Unusable) Crowded(Login) bool { return true }

// Trust implements Authority.
func (u Unusable) Trust(Trust) error { return u.err() }

// Forget implements Authority.
func (u Unusable) Forget(record.User) error { return u.err() }

// Codes implements Authority.
func (u Unusable) Codes(record.User) (field.Codes, error) { return field.Codes{}, u.err() }
