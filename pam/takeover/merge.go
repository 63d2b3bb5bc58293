package takeover

import (
	"bytes"
	"slices"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
)

// merge is what a user who is already enrolled gets of a file.
type merge struct {
	e       enrollment.Enrollment // what the file says
	proof   enrollment.Proof
	replace bool
	notes   []string
}

// with returns what replaces all that the user has. The error says that they keep it.
func (m *merge) with(old *factor.Account) (enrollment.Enrollment, error) {
	devices := m.hasDevices(old.Record)
	codes := m.hasCodes(old)
	same := devices && codes && len(old.Record.Devices) == len(m.e.Devices)
	switch {
	case m.replace && !same:
		return m.replacement(old), nil
	case !devices:
		return enrollment.Enrollment{}, enrollment.ErrEnrolled
	case !codes:
		m.notes = []string{
			"the recovery codes differ from those in the file (--replace takes the file's)",
		}
	}
	return enrollment.Enrollment{}, m.advance(old)
}

// advance notes what was used elsewhere since the last import: such a code must not work here.
func (m *merge) advance(old *factor.Account) error {
	updated := false
	for i, d := range m.e.Devices {
		for _, has := range old.Record.Devices {
			if !sameDevice(has, d) {
				continue
			}
			moved, err := enrollment.Advance(m.proof, old, has.ID, m.e.Counters[i])
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

// replacement is what the file says. What was used of it here since it was first imported stays
// used, even if the file says otherwise.
func (m *merge) replacement(old *factor.Account) enrollment.Enrollment {
	e := m.e
	e.Counters = slices.Clone(e.Counters)
	for i, d := range e.Devices {
		e.Counters[i] = max(e.Counters[i], usedHere(old, d))
	}
	for n, code := range e.Recovery.Codes {
		before := slices.Index(old.Record.Recovery.Codes, code)
		if before >= 0 && enrollment.RecoveryUsed(old, before) {
			e.Used |= 1 << n
		}
	}
	return e
}

// hasDevices reports whether all devices of the file are in the record.
func (m *merge) hasDevices(r *record.Record) bool {
	for _, d := range m.e.Devices {
		same := func(has record.Device) bool { return sameDevice(has, d) }
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
func usedHere(old *factor.Account, d record.Device) (counter uint64) {
	for _, has := range old.Record.Devices {
		if used := old.State.Device(has.ID); used != nil && sameSecret(has, d) {
			counter = max(counter, used.Counter)
		}
	}
	return counter
}

// hasCodes reports whether the user has the file's recovery codes, used or not, and no others that
// are unused.
func (m *merge) hasCodes(old *factor.Account) bool {
	set, codes := &old.Record.Recovery, m.e.Recovery.Codes
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
