// Package moving takes users from a host into its fleet and back: what a host and the service say
// to each other for that, and how what several hosts have of one user becomes one.
//
// At no instant do both accept a code. A user of a host waits in the fleet, which lets no one in,
// until the host has put its own record away; a user of the fleet is taken out of it before the
// host gets the record. Each step may be done again, so a command that was killed goes on.
package moving

import (
	"crypto/rand"
	"slices"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Operations, all for hosts with the role admin. Each can be asked again.
const (
	OpWait   = "enroll.import"         // a user of the host waits in the fleet
	OpImport = "enroll.import-now"     // and is there from now on
	OpExport = "enroll.export"         // a user is taken out of the fleet, for the host
	OpEnd    = "enroll.export-is-done" // the host has the record
)

// Question is the body of each operation.
type Question struct {
	ID    string `json:"id"`              // of the enrollment on the host
	Again bool   `json:"again,omitempty"` // the move has begun already: OpExport begins none
	Moved *Moved `json:"moved,omitempty"` // with OpWait
}

// Answer is the body of each answer.
type Answer struct {
	Done  bool     `json:"done,omitempty"`  // the user is in the fleet
	Notes []string `json:"notes,omitempty"` // what is lost, for people
	Moved *Moved   `json:"moved,omitempty"` // with OpExport
}

// Moved is all of a user that comes along. Trusted computers and codes that root gave out do not:
// they are the host's.
type Moved struct {
	Enrollment enrollment.Enrollment `json:"enrollment"`
	Failures   []time.Time           `json:"failures,omitempty"`
	Locked     time.Time             `json:"locked,omitzero"`
	Refused    state.Refused         `json:"refused,omitzero"`
}

// Take returns what a user has, secrets included.
func Take(k factor.Keyring, u record.User) (Moved, error) {
	r, st, err := k.View(u)
	if err != nil {
		return Moved{}, err
	}
	m := Moved{Failures: st.Failures, Locked: st.Locked, Refused: st.Refused}
	m.Enrollment = enrollment.Enrollment{Devices: r.Devices, Recovery: r.Recovery}
	for _, d := range r.Devices {
		var counter uint64
		if used := st.Device(d.ID); used != nil {
			counter = used.Counter
		}
		m.Enrollment.Counters = append(m.Enrollment.Counters, counter)
	}
	account := factor.Account{Record: r, State: &state.File{State: *st}}
	m.Enrollment.Used = allUsed // until it is known which are
	if used := account.UsedCodes(); used != nil {
		m.Enrollment.Used = used.Used
	}
	return m, nil
}

const allUsed = ^uint64(0)

// Give gives a user of s what was moved, beside what the user has there, and says what of it is
// lost. What was used in either place stays used.
func (m Moved) Give(s enrollment.Store, u record.User) (notes []string, err error) {
	p := enrollment.ByRoot()
	err = s.Exclusive(func() error {
		return s.Import(p, u, m.Enrollment,
			func(old *factor.Account) (merged enrollment.Enrollment, _ error) {
				merged, notes = m.merge(old)
				return merged, nil
			})
	})
	if err != nil {
		return nil, err
	}
	account, err := s.Open(u)
	if err != nil {
		return nil, err
	}
	defer account.Close()
	m.Raise(account)
	return notes, factor.Commit(account.State)
}

// merge is what a user has here and what comes.
func (m Moved) merge(old *factor.Account) (e enrollment.Enrollment, notes []string) {
	e.Devices, e.Recovery = slices.Clone(old.Record.Devices), old.Record.Recovery
	if used := old.UsedCodes(); used != nil {
		e.Used = used.Used
	}
	for _, d := range e.Devices {
		e.Counters = append(e.Counters, old.State.Device(d.ID).Counter)
	}
	for i, d := range m.Enrollment.Devices {
		if twin(e.Devices, d) != nil {
			continue
		}
		if label := free(e.Devices, d.Label); label != d.Label {
			notes = append(notes, "the device \""+d.Label+"\" is now called \""+label+"\"")
			d.Label = label
		}
		same := func(has record.Device) bool { return has.ID == d.ID }
		if slices.ContainsFunc(e.Devices, same) {
			rand.Read(d.ID[:])
		}
		e.Devices = append(e.Devices, d)
		e.Counters = append(e.Counters, m.Enrollment.Counters[i])
	}
	switch coming := m.Enrollment.Recovery; {
	case e.Recovery.ID == (state.SetID{}):
		e.Recovery, e.Used = coming, m.Enrollment.Used
	case coming.ID != e.Recovery.ID && coming.ID != (state.SetID{}):
		notes = append(notes, "the recovery codes of this host are void; those of the fleet work")
	}
	return e, notes
}

// twin is the device that makes the same codes as d, or has the same number or key.
func twin(devices []record.Device, d record.Device) *record.Device {
	i := slices.IndexFunc(devices, func(has record.Device) bool {
		return has.Type == d.Type && slices.Equal(has.Secret, d.Secret)
	})
	if i < 0 {
		return nil
	}
	return &devices[i]
}
