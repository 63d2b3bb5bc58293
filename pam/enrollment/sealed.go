package enrollment

import (
	"encoding/json"
	"time"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// In a fleet, a code is compared by its service, which therefore makes the proof that the code is
// right. The host that asked keeps that proof, sealed, and presents it with the change.

// Right is a Proof as a host of a fleet presents it. The zero Right is none.
type Right struct {
	Root     bool      // the caller is root on the host
	Password bool      // the user gave the password there
	Began    time.Time // with Password: when
	Sealed   []byte    // a proof that the service made and sealed
}

// BySealed returns the right that a fleet's service has proven and sealed. It gives none on a
// single host.
func BySealed(sealed []byte) Proof { return Proof{sealed: sealed} }

// Right returns what a host of a fleet says of p. What the host has compared by itself is none.
func (p Proof) Right() Right {
	return Right{
		Root: p.by == byRoot, Password: p.by == byPassword, Began: p.began, Sealed: p.sealed,
	}
}

// plain is a Proof as text. The clock is left out, which is that of whoever reads it.
type plain struct {
	By     prover
	User   record.User
	Began  time.Time
	Ticket state.OneTimeCode
	Of     state.EnrollmentID
	Device *state.DeviceID
	Codes  *state.SetID
}

// MarshalJSON returns p as text, which the service seals: it is no secret, and it must not be
// forged.
func (p Proof) MarshalJSON() ([]byte, error) {
	return json.Marshal(plain{p.by, p.user, p.began, p.ticket, p.of, p.device, p.codes})
}

// Unsealed reads what MarshalJSON returned. Only a code or a ticket is proven by such a text: it
// never gives the right of root.
func Unsealed(text []byte, clock func() time.Time) (Proof, error) {
	var was plain
	if err := json.Unmarshal(text, &was); err != nil {
		return Proof{}, err
	}
	if was.By != byCode && was.By != byTicket {
		return Proof{}, ErrRight
	}
	return Proof{by: was.By, user: was.User, began: was.Began, clock: clock, ticket: was.Ticket,
		of: was.Of, device: was.Device, codes: was.Codes}, nil
}
