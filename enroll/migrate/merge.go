package migrate

import (
	"bytes"
	"errors"
	"slices"

	"latchkey/enroll/migrate/source"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
)

// What merge says of a user whose devices stay as they are.
var (
	errUnchanged = errors.New("already there")
	errUpdated   = errors.New("already there; used further elsewhere")
)

// merge is what a candidate who is already enrolled gets: nothing, or what the file says in
// place of all they have.
func (m *migration) merge(c *candidate, old *factor.Account) (enrollment.Enrollment, error) {
	devices := hasDevices(old.Record, c.entry)
	codes := hasCodes(old, c.entry.Codes)
	same := devices && codes && len(old.Record.Devices) == len(c.entry.Devices)
	switch {
	case m.Replace && !same:
		return c.enrollment(old), nil
	case !devices:
		return enrollment.Enrollment{}, enrollment.ErrEnrolled
	case !codes:
		c.Notes = []string{
			"the recovery codes differ from those in the file (--replace takes the file's)",
		}
	}
	return enrollment.Enrollment{}, c.advance(m.Proof, old)
}

// advance notes what was used elsewhere since the last import: such a code must not work here.
func (c *candidate) advance(p enrollment.Proof, old *factor.Account) error {
	updated := false
	for _, d := range c.entry.Devices {
		for _, has := range old.Record.Devices {
			if !sameDevice(has, d.Device) {
				continue
			}
			moved, err := enrollment.Advance(p, old, has.ID, d.Counter)
			if err != nil {
				return err
			}
			updated = updated || moved
		}
	}
	if updated {
		return errUpdated
	}
	return errUnchanged
}

// enrollment is what the file says. What was used of it here since it was first imported stays
// used, even if the file says otherwise.
func (c *candidate) enrollment(old *factor.Account) (e enrollment.Enrollment) {
	for _, d := range c.entry.Devices {
		counter := d.Counter
		if old != nil {
			counter = max(counter, usedHere(old, d))
		}
		e.Devices, e.Counters = append(e.Devices, d.Device), append(e.Counters, counter)
	}
	if len(c.entry.Codes) == 0 {
		return e
	}
	e.Recovery = enrollment.ImportedRecovery(c.entry.Codes)
	for n, code := range c.entry.Codes {
		if old == nil {
			continue
		}
		before := slices.Index(old.Record.Recovery.Codes, code)
		if before >= 0 && enrollment.RecoveryUsed(old, before) {
			e.Used |= 1 << n
		}
	}
	return e
}

// hasDevices reports whether all devices of the entry are in the record.
func hasDevices(r *record.Record, e source.Entry) bool {
	for _, d := range e.Devices {
		same := func(has record.Device) bool { return sameDevice(has, d.Device) }
		if !slices.ContainsFunc(r.Devices, same) {
			return false
		}
	}
	return true
}

// sameDevice reports whether two devices make the same codes; labels do not matter.
func sameDevice(a, b record.Device) bool {
	return sameSecret(a, b) && a.Algorithm == b.Algorithm && a.Digits == b.Digits
}

func sameSecret(a, b record.Device) bool {
	return a.Type == b.Type && a.Period == b.Period && bytes.Equal(a.Secret, b.Secret)
}

// usedHere is the moving factor up to which the device's secret was used here.
func usedHere(old *factor.Account, d source.Device) (counter uint64) {
	for _, has := range old.Record.Devices {
		if used := old.State.Device(has.ID); used != nil && sameSecret(has, d.Device) {
			counter = max(counter, used.Counter)
		}
	}
	return counter
}

// hasCodes reports whether the user has these recovery codes, used or not, and no others that
// are unused.
func hasCodes(old *factor.Account, codes []string) bool {
	set := &old.Record.Recovery
	for _, code := range codes {
		if !slices.Contains(set.Codes, code) {
			return false
		}
	}
	for n, code := range set.Codes {
		if !slices.Contains(codes, code) && !enrollment.RecoveryUsed(old, n) {
			return false
		}
	}
	return len(set.Hashes) == 0
}
