package authority

import (
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/trust"
)

// Trust is a user's wish that the computer of a login be trusted, and what the login has shown:
// nothing of it may have changed meanwhile.
type Trust struct {
	Login
	Enrollment state.EnrollmentID
	Device     state.DeviceID // whose code was accepted
}

// Crowded implements Authority.
func (l *Local) Crowded(login Login) bool {
	c := l.bound(login).Computer()
	return !c.Known() || trust.Crowded(l.Keyring, login.User, c, l.Clock(), trust.CountTime)
}

// Trust implements Authority.
func (l *Local) Trust(t Trust) error {
	t.Login = l.bound(t.Login)
	proven := trust.Proven{User: t.User, Enrollment: t.Enrollment, Device: t.Device,
		Limits: t.Limits}
	return trust.Give(l.Keyring, proven, t.Computer(), l.Clock())
}

// Forget implements Authority.
func (l *Local) Forget(u record.User) error { return trust.Forget(l.Keyring, u) }
