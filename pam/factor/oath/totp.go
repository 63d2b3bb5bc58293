package oath

import (
	"crypto/subtle"
	"time"

	"latchkey/pam/record"
	"latchkey/pam/state"
)

// drift is how many time steps a device's clock may be off, to either side (RFC 6238 section 5.2).
const drift = 1

// Step is the time step (RFC 6238's T) of d at the time t.
func Step(d *record.Device, t time.Time) uint64 {
	return uint64(max(t.Unix(), 0)) / uint64(d.Period/time.Second)
}

// FindStep looks for the time step around now, at most reach steps away, whose code this is.
// Several steps can have the same code: then it is the latest. It takes the same time whichever
// step matches.
func FindStep(d *record.Device, code string, now time.Time, reach uint64) (step uint64, found bool,
	err error) {
	middle := Step(d, now)
	for s := middle - min(reach, middle); s <= middle+reach; s++ {
		want, err := Code(d, s)
		if err != nil {
			return 0, false, err
		}
		if subtle.ConstantTimeCompare([]byte(want), []byte(code)) == 1 {
			step, found = s, true
		}
	}
	return step, found, nil
}

// Confirm looks for the time step of the first code of a device that was just set up: one that
// would be accepted at a login. If there is none, driftSeconds is Drift's.
func Confirm(d *record.Device, code string, now time.Time) (step uint64, found bool,
	driftSeconds int64, err error) {
	if step, found, err = FindStep(d, code, now, drift); err != nil || found {
		return step, found, 0, err
	}
	driftSeconds, err = Drift(d, code, now)
	return 0, false, driftSeconds, err
}

// Drift is by how many seconds the clock of a device whose code this is differs from this host's:
// more than 0 if it is fast, less if it is slow, as far as an hour, with the usual 30 seconds a
// step. It is 0 if the code is none of that time.
func Drift(d *record.Device, code string, now time.Time) (seconds int64, err error) {
	const hour = 120 // steps
	step, found, err := FindStep(d, code, now, hour)
	if err != nil || !found {
		return 0, err
	}
	return (int64(step) - int64(Step(d, now))) * int64(d.Period/time.Second), nil
}

// compareTOTP compares code with an app: the counter to keep is the time step.
func compareTOTP(d *record.Device, used *state.Device, code string, now time.Time) (Place, uint64,
	error) {
	step, found, err := FindStep(d, code, now, drift)
	switch {
	case err != nil || !found:
		return Nowhere, 0, err
	case step > used.Counter:
		return Current, step, nil
	}
	return Past, 0, nil
}
