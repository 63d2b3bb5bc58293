package node

import (
	"context"
	"encoding/json"
	"errors"

	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// Renew puts a new number in place of the service's last one, if that is the one in etcd; if not,
// etcd was set back. The number is on the disk before it is in etcd, so a crash at any moment
// leaves a number that the service knows.
func (n *Node) Renew(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, renewTime)
	defer cancel()
	next, err := n.prepare()
	if err == nil {
		err = n.Store.Run(ctx, needs(n.Name), func(t *store.Txn) error { return n.swap(t, next) })
	}
	if wire.FaultOf(err) == wire.Rollback && err != nil {
		if failed := n.warn(ctx); failed != nil {
			n.Log.Warn("the other services were not told of the rollback", "why", failed.Error())
		}
	}
	n.mutex.Lock()
	defer n.mutex.Unlock()
	switch {
	case err == nil:
		n.registered(next)
		n.refuse(n.peers.judge())
	case fatal(err):
		n.refuse(err)
		n.save()
	default: // each question finds out whether etcd can be reached
		n.Log.Warn("the service's number was not renewed", "why", err.Error())
	}
}

// registered notes that a number is in etcd, in place of the one before.
func (n *Node) registered(number string) {
	n.memory.Last, n.memory.Registered = number, true
	n.save()
}

// save writes the memory once more. If it cannot, the next renewal does it, or refuses.
func (n *Node) save() {
	n.memory.Revision = max(n.memory.Revision, n.Store.Etcd().Revision())
	if err := n.memory.write(n.Dir); err != nil {
		n.Log.Warn("what the service remembers was not saved", "why", err.Error())
	}
}

func needs(name string) []string {
	return []string{store.KeyEpoch, store.ServiceKey(name), store.KeyServices, store.KeySigning,
		store.KeySetBack}
}

// prepare remembers the number that is about to be written. One that may be in etcd without our
// knowing is used again.
func (n *Node) prepare() (string, error) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.memory.Next == n.memory.Last {
		n.memory.Next = newNumber()
		n.remember(n.memory.Next)
	}
	n.memory.Revision = max(n.memory.Revision, n.Store.Etcd().Revision())
	if err := n.memory.write(n.Dir); err != nil {
		return "", wire.Errorf(wire.Internal, "the service's number cannot be saved: %v", err)
	}
	return n.memory.Next, nil
}

func (n *Node) remember(number string) {
	n.numbers = append(n.numbers, number)
	if more := len(n.numbers) - mostNumbers; more > 0 {
		n.numbers, n.offset = n.numbers[more:], n.offset+more
	}
}

// swap is one renewal.
func (n *Node) swap(t *store.Txn, next string) error {
	t.Follow(n.Name)
	epoch, err := t.Epoch()
	if errors.Is(err, store.ErrNoFleet) && n.Epoch() > 0 {
		return errRollback
	}
	if err != nil {
		return err
	}
	var own Peer
	found, err := t.Load(store.ServiceKey(n.Name), &own)
	if err != nil {
		return err
	}
	if err := n.judge(epoch.Number, own, found); err != nil {
		return err
	}
	if err := warned(t, epoch.Number); err != nil {
		return err
	}
	others, err := peersIn(t)
	if err != nil {
		return err
	}
	if err := n.learnSigning(t); err != nil {
		return err
	}
	n.mutex.Lock()
	delete(others, n.Name)
	n.peers.observe(others, t.Now)
	n.mutex.Unlock()
	return t.Store(store.ServiceKey(n.Name), Peer{next, epoch.Number, t.Now})
}

// judge refuses a database that is not the one that this service knows. In a new epoch, which an
// administrator began, the service registers again.
func (n *Node) judge(epoch uint64, own Peer, found bool) error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	m := &n.memory
	switch {
	case epoch < m.Epoch, epoch == m.Epoch && n.Store.Etcd().SetBack():
		return errRollback
	case found && m.owns(own.Number) && own.Epoch == epoch:
		m.Epoch = epoch
		return nil
	case found:
		if m.Last == "" {
			return wire.Errorf(wire.Rollback, "etcd knows a service %q already; if this is it: "+
				"latchkey-fleetd remove %s", n.Name, n.Name)
		}
		return errRollback
	case epoch > m.Epoch:
		n.Store.Etcd().Begin()
		m.Epoch, m.Registered, m.Revision = epoch, false, 0
		return m.write(n.Dir)
	case !m.Registered:
		return nil
	}
	return errRollback
}

func peersIn(t *store.Txn) (map[string]Peer, error) {
	all, err := t.List(store.KeyServices)
	if err != nil {
		return nil, err
	}
	peers := map[string]Peer{}
	for name, text := range all {
		var p Peer
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, err
		}
		peers[name] = p
	}
	return peers, nil
}
