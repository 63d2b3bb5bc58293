// Package app sets up an authenticator app with a person at a terminal: one secret, shown as a QR
// code, for typing it in and as a picture, until a code of it has been typed.
package app

import (
	"fmt"
	"time"

	"latchkey/enroll/app/guide"
	"latchkey/enroll/app/otpauth"
	"latchkey/enroll/terminal"
	"latchkey/pam/record"
)

// App is an authenticator app that a person at a terminal is setting up.
type App struct {
	*terminal.Console
	Account otpauth.Account
	Device  record.Device
	URI     string // the device's, with all parameters
	Look    Look
	// Steps is how many there are in all: showing the secret is the first, a code of it the
	// second.
	Steps int
	Clock func() time.Time
	// Refused is told of each code that was typed and is not the device's.
	Refused func()

	drawing guide.Drawing
}

// Look is how the secret is shown. The zero value draws it.
type Look struct {
	ASCII   bool   // draw with ASCII alone
	Plain   bool   // draw nothing, for screen readers
	Picture string // draw nothing; the path of a picture of the QR code
}

// draws reports whether the code is drawn on the terminal at all.
func (l Look) draws() bool { return !l.Plain && l.Picture == "" }

// account is what the app has to know beside the secret.
func (a *App) account() string {
	d := a.Device
	return fmt.Sprintf("%s on %s, time-based, %s, %d digits, %d seconds",
		a.Account.User, a.Account.Host, d.Algorithm, d.Digits, d.Period/time.Second)
}
