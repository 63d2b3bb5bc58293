package authority

import (
	"latchkey/pam/field"
	"latchkey/pam/record"
)

// Later is an authority that is opened when it is first asked, so that a login that asks nothing
// does not wait for it.
type Later struct {
	Open   func() Authority
	opened Authority
}

var _ Authority = (*Later)(nil)

func (l *Later) open() Authority {
	if l.opened == nil {
		l.opened = l.Open()
	}
	return l.opened
}

// Begin implements Authority.
func (l *Later) Begin(login Login) (Beginning, error) { return l.open().Begin(login) }

// Guess implements Authority.
func (l *Later) Guess(g Guess) (Guessed, error) { return l.open().Guess(g) }

// Send implements Authority.
func (l *Later) Send(s Send) (Sent, error) { return l.open().Send(s) }

// Crowded implements Authority.
func (l *Later) Crowded(login Login) bool { return l.open().Crowded(login) }

// Trust implements Authority.
func (l *Later) Trust(t Trust) error { return l.open().Trust(t) }

// Forget implements Authority.
func (l *Later) Forget(u record.User) error { return l.open().Forget(u) }

// Codes implements Authority.
func (l *Later) Codes(u record.User) (field.Codes, error) { return l.open().Codes(u) }
