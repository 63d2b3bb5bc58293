package store

import (
	"errors"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Epoch is the fleet's generation. A new one begins when a restored backup is accepted.
type Epoch struct {
	Number uint64    `json:"number"` // from 1
	Began  time.Time `json:"began"`
}

// ErrNoFleet says that etcd has nothing of a fleet.
var ErrNoFleet = errors.New("etcd has no fleet: latchkey-fleetd init makes one")

// Epoch returns the fleet's generation. The error may match ErrNoFleet.
func (t *Txn) Epoch() (e Epoch, err error) {
	found, err := t.Load(KeyEpoch, &e)
	if err == nil && (!found || e.Number == 0) {
		err = ErrNoFleet
	}
	return e, err
}

// renew makes a state of an earlier epoch one of this epoch: what was used between the backup and
// the restore is not in it, so all that may have been used is. The record says what the devices
// are.
func (e Epoch) renew(st *state.State, r *record.Record) {
	const all = ^uint64(0)
	st.Recovery.Used, st.Next.Used = all, all
	st.Ticket, st.Bypass = state.OneTimeCode{}, state.OneTimeCode{}
	st.Pendings, st.Trusts = nil, nil
	for i := range r.Devices {
		used := st.Device(r.Devices[i].ID)
		switch {
		case used == nil:
		case r.Devices[i].Type == method.TOTP:
			used.Counter = max(used.Counter, oath.Step(&r.Devices[i], e.Began)+1)
		case r.Devices[i].Type == method.HOTP:
			oath.Distrust(used)
		}
	}
}
