package moving

import (
	"fmt"
	"slices"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// free is base, or base-2 and so on if there is a device of that label.
func free(devices []record.Device, base string) string {
	label := base
	taken := func(d record.Device) bool { return d.Label == label }
	for n := 2; slices.ContainsFunc(devices, taken); n++ {
		end := fmt.Sprintf("-%d", n)
		label = base[:min(len(base), record.MaxLabel-len(end))] + end
	}
	return label
}

// Raise makes used what was used in either place: the later steps and counters, the union of
// recovery codes, the longer of two locks and the greater number of wrong codes.
func (m Moved) Raise(account *factor.Account) {
	st := &account.State.State
	for i, d := range m.Enrollment.Devices {
		has := twin(account.Record.Devices, d)
		// Steps of another length cannot be compared, and have other codes.
		if has == nil || has.Period != d.Period {
			continue
		}
		if used := st.Device(has.ID); used != nil && used.Counter < m.Enrollment.Counters[i] {
			used.Counter, used.Resync = m.Enrollment.Counters[i], 0
		}
	}
	used := account.UsedCodes()
	if used != nil && account.Record.Recovery.ID == m.Enrollment.Recovery.ID {
		used.Used |= m.Enrollment.Used
	}
	if m.Locked.After(st.Locked) {
		st.Locked = m.Locked
	}
	if m.Refused.Count > st.Refused.Count {
		st.Refused = m.Refused
	}
	st.Failures = latest(slices.Concat(st.Failures, m.Failures))
}

// latest are the last failures that a state has room for.
func latest(all []time.Time) []time.Time {
	slices.SortFunc(all, time.Time.Compare)
	all = slices.CompactFunc(all, time.Time.Equal)
	return all[max(0, len(all)-state.MaxFailures):]
}
