package oath

import (
	"crypto/subtle"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// A token's counter runs ahead of ours when its button is pressed without a login (RFC 4226
// section 7.4): so many codes ahead are accepted at once, and so many if the next one follows.
const (
	lookAhead  = 10
	resyncSpan = 100
)

// MaxCounter bounds counters, so that looking ahead never overflows. No token's button is ever
// pressed that often.
const MaxCounter = 1 << 62

// FindCounter looks for the counter, from first on and at most reach further, whose code this is.
func FindCounter(d *record.Device, code string, first, reach uint64) (counter uint64, found bool,
	err error) {
	for c := first; c <= first+reach; c++ {
		want, err := Code(d, c)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 && !found {
			counter, found = c, true
		}
	}
	return counter, found, nil
}

// distrusted marks, in the counter of a resynchronization, a token whose own counter is not to be
// trusted. No counter is so large.
const distrusted = 1 << 63

// Distrust makes a token resynchronize before it is accepted again: codes ahead of its counter may
// have been used, as after a backup was restored.
func Distrust(used *state.Device) { used.Resync = distrusted }

// compareHOTP compares code with a token. It tells the counter to expect next if it is accepted,
// and notes in used what a resynchronization needs. Like FindStep it takes the same time whichever
// counter matches.
func compareHOTP(d *record.Device, used *state.Device, code string) (Place, uint64, error) {
	at, next := Nowhere, uint64(0)
	first := used.Counter - min(used.Counter, lookAhead)
	mark := used.Resync & distrusted
	for c := first; c <= used.Counter+resyncSpan; c++ {
		want, err := Code(d, c)
		if err != nil {
			return Nowhere, 0, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) != 1 || at == Current {
			continue
		}
		switch {
		case c < used.Counter:
			at = Past
		case mark == 0 && c <= used.Counter+lookAhead || c > 0 && c == used.Resync&^distrusted:
			at, next = Current, c+1
		case at == Nowhere:
			// Right, but far ahead: the next code decides. A guess would have to be right twice
			// running.
			next = c + 1
		}
	}
	if at == Nowhere {
		used.Resync = next | mark
	}
	return at, next, nil
}
