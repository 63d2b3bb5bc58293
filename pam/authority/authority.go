// Package authority answers what a login asks about an account: what its user can prove, whether
// a code is right, whether one may be sent, whether a computer is trusted.
//
// On a single host the answers come from Local, which opens the host's own records and states. In
// a fleet they come from a service, which runs Local over the fleet's: there is one implementation
// of what a right code is. So questions and answers are plain data, which comes through JSON
// unchanged, and no answer holds a secret: a host can be stolen.
package authority

import (
	"latchkey/pam/field"
	"latchkey/pam/record"
)

// Authority answers for the accounts of users. Nothing of an account is locked between two
// questions, and what enroll changed meanwhile counts. An error means that no one may be let in;
// Fault says which ones callers tell apart.
type Authority interface {
	// Begin says what the user of a login can be asked for, and lets in users who need no code.
	Begin(Login) (Beginning, error)
	// Guess compares a code, and uses it up or charges it. Also with an error, Guessed says of a
	// code that was sent how and where to, and what was damaged.
	Guess(Guess) (Guessed, error)
	// Send has a code sent. With an error none is on its way that could be used.
	Send(Send) (Sent, error)
	// Crowded reports whether the computer of a login may not be trusted, because it would be
	// recognized by an address alone that others trust already. What is not known is crowded.
	Crowded(Login) bool
	// Trust makes a user trust the computer of a login.
	Trust(Trust) error
	// Forget ends all trust that a user has given.
	Forget(record.User) error
	// Codes says what the codes of a user look like.
	Codes(record.User) (field.Codes, error)
}
