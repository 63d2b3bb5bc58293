// Package node is a service's own part in its fleet: a random number in etcd that it renews each
// second, by which it notices that etcd was set back to a backup; its clock; the keys that it
// signs with.
package node

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// Config is what a node needs.
type Config struct {
	Name   string // of the service
	Dir    string // where it remembers its number
	Store  *store.Store
	Secret secret.Secret
	Log    *slog.Logger
}

// Node is the service in its fleet.
type Node struct {
	Config
	mutex   sync.Mutex
	memory  memory
	numbers []string // that this process has written or is about to write, latest last
	offset  int      // how many numbers before them were forgotten
	refused error    // why this service must not answer; nil: it may
	peers   peers
	signing signing
}

// Peer is a service as it stands in etcd.
type Peer struct {
	Number string    `json:"number"`
	Epoch  uint64    `json:"epoch"`
	At     time.Time `json:"at"` // by its clock
}

const (
	interval    = time.Second
	renewTime   = 3 * time.Second // for one renewal, with all its tries
	mostNumbers = 64
)

// Open reads what the service remembers.
func Open(c Config) (*Node, error) {
	n := &Node{Config: c, peers: peers{seen: map[string]seen{}}}
	var err error
	if n.memory, err = readMemory(c.Dir); err != nil {
		return nil, err
	}
	if n.signing, err = readSigning(c.Dir, c.Secret); err != nil {
		return nil, err
	}
	n.numbers = n.memory.candidates()
	c.Store.Etcd().Expect(n.memory.Revision)
	n.refused = errFirst
	return n, nil
}

var errFirst = wire.Errorf(wire.Unknown, "the service has not reached etcd yet")

// Run renews the number until ctx ends.
func (n *Node) Run(ctx context.Context) {
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			n.Renew(ctx)
		}
	}
}

// Mark returns a moment for Check.
func (n *Node) Mark() int {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.offset + len(n.numbers)
}

// Epoch is the highest generation that this service has seen.
func (n *Node) Epoch() uint64 {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.memory.Epoch
}

// Check refuses to answer from a database that was set back, or with a clock that is wrong: t has
// read store.KeyServices. since is the Mark from before that.
func (n *Node) Check(t *store.Txn, since int) error {
	t.Follow(n.Name)
	n.mutex.Lock()
	defer n.mutex.Unlock()
	if n.refused != nil {
		return n.refused
	}
	if n.Store.Etcd().SetBack() {
		return errRollback // the next renewal says so, or that an administrator has accepted it
	}
	own, err := peersIn(t)
	if err != nil {
		return err
	}
	epoch, err := t.Epoch()
	if err != nil {
		return err
	}
	// The number is the latest that was written or is about to be, or one that was written since.
	// If it is not, the renewal says whether that is a rollback: here it may be one that was
	// forgotten because the question took so long.
	if !n.wrote(own[n.Name].Number, since) || epoch.Number != n.memory.Epoch {
		return store.ErrAgain
	}
	return nil
}

// wrote reports whether number is one of the last two before a Mark, or later.
func (n *Node) wrote(number string, since int) bool {
	for i, known := range n.numbers {
		if known == number && number != "" && n.offset+i >= since-2 {
			return true
		}
	}
	return false
}

// refuse notes why the service must not answer, and logs it once.
func (n *Node) refuse(err error) {
	switch {
	case err == nil && n.refused != nil:
		n.Log.Info("answering", "epoch", n.memory.Epoch)
	case err != nil && (n.refused == nil || n.refused.Error() != err.Error()):
		n.Log.Error("not answering", "why", err.Error())
	}
	n.refused = err
}

// Refused returns why the service does not answer; nil: it does.
func (n *Node) Refused() error {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.refused
}

// Offset is how far the service's clock is from the others', and whether any of them is there.
func (n *Node) Offset() (time.Duration, bool) {
	n.mutex.Lock()
	defer n.mutex.Unlock()
	return n.peers.offset, n.peers.live > 0
}

var errRollback = wire.Errorf(wire.Rollback, "etcd was set back to a backup, or this service's "+
	"own files were, or another service has its name; see RESTORING in latchkey-fleetd(8)")

// fatal reports whether err says that this service must not answer, and not only that etcd cannot
// be reached now.
func fatal(err error) bool {
	f := wire.FaultOf(err)
	return f != wire.Unknown && f != wire.Quota && !errors.Is(err, context.Canceled)
}
