package store

import (
	"errors"
	"time"
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
