package factor

import (
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/state"
)

// Drift is what a refused code says of the clock of an app: by how many seconds it is fast, or,
// less than 0, slow.
type Drift struct {
	Device  state.DeviceID
	Code    string
	Seconds int64
}

// Drifts are those of the user's apps whose code this was, or will be, within an hour. It decides
// nothing: such a code stays refused.
func (a *Account) Drifts(g Guess) (found []Drift) {
	if g.Accepts == nil || !g.Accepts(method.TOTP) {
		return nil
	}
	for i := range a.Record.Devices {
		d := &a.Record.Devices[i]
		if d.Type != method.TOTP || len(g.Code) != d.Digits {
			continue
		}
		if seconds, err := oath.Drift(d, g.Code, g.At); err == nil && seconds != 0 {
			found = append(found, Drift{d.ID, g.Code, seconds})
		}
	}
	return found
}

// agree is by how many seconds two measurements of one clock may differ: each is a time step wide.
const agree = time.Minute

// Known is the drift that the user who typed these codes, the latest last, may be told; 0 if it is
// not known.
//
// A user is told that a clock is slow after one code: the time of that code is over. A user is told
// that it is fast only after two codes that agree. A guess may happen to be a code that is still to
// come, and saying when it comes would let the guesser in: there are 120 of those in the hour, and
// 3 that are right.
func Known(drifts []Drift) (seconds int64) {
	for i, d := range drifts {
		if d.Seconds < 0 {
			seconds = d.Seconds
		}
		for _, other := range drifts[:i] {
			apart := time.Duration(max(d.Seconds-other.Seconds,
				other.Seconds-d.Seconds)) * time.Second
			if d.Device == other.Device && d.Code != other.Code && apart <= agree {
				seconds = d.Seconds
			}
		}
	}
	return seconds
}
