package node

import (
	"context"
	"time"

	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// setBack is what a service writes that has noticed a restored backup, for those that cannot: one
// that was down from the backup to the restore finds everything as it left it. It counts in its
// epoch only, so that accepting the restore ends it.
type setBack struct {
	Epoch uint64    `json:"epoch"`
	By    string    `json:"by"` // a service
	At    time.Time `json:"at"`
}

// warned refuses a database of which another service knows that it was set back.
func warned(t *store.Txn, epoch uint64) error {
	var noted setBack
	found, err := t.Load(store.KeySetBack, &noted)
	if err != nil || !found || noted.Epoch != epoch {
		return err
	}
	return wire.Errorf(wire.Rollback, "%s has noticed that etcd was set back to a backup; see "+
		"latchkey-fleetd accept-restore", noted.By)
}

// warn tells the other services, if it is certain that etcd was set back: a number that is not this
// service's may only mean that two services have one name.
func (n *Node) warn(ctx context.Context) error {
	if !n.Store.Etcd().SetBack() {
		return nil
	}
	needs := []string{store.KeyEpoch, store.KeySetBack}
	return n.Store.Run(ctx, needs, func(t *store.Txn) error {
		epoch, err := t.Epoch()
		if err != nil || warned(t, epoch.Number) != nil {
			return err
		}
		return t.Store(store.KeySetBack, setBack{epoch.Number, n.Name, t.Now})
	})
}
