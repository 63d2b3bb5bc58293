// Package store keeps the accounts of a fleet in etcd. FORMAT.md beside this file is the format.
//
// Everything happens in transactions: a Txn reads what it needs, its changes are made in memory,
// and all of them are written at once if nothing that was read has changed meanwhile. If something
// has, the transaction runs again from the beginning. Nothing is cached and nothing is watched.
package store

import (
	"context"
	"crypto/tls"
	"errors"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/store/etcd"
	"latchkey/pam/fleet/store/queue"
	"latchkey/pam/fleet/wire"
)

// Config is what a store needs.
type Config struct {
	Endpoints []string    // of etcd
	TLS       *tls.Config // nil: none
	Secret    secret.Secret
	Clock     func() time.Time
	// Point is called at certain moments of a question, for tests that end the process there; nil:
	// nothing is.
	Point func(op, moment string)
}

// Store is the accounts of a fleet.
type Store struct {
	Config
	cluster *etcd.Cluster
	keys    keys
	queues  queue.Queues

	Conflicts  atomic.Uint64 // transactions that ran again because something had changed
	Unanswered atomic.Uint64 // requests that no node answered
}

// Open makes a store. It does not wait for etcd.
func Open(c Config) (*Store, error) {
	k, err := deriveKeys(c.Secret)
	if err != nil {
		return nil, err
	}
	nodes, err := etcd.Open(c.Endpoints, c.TLS)
	if err != nil {
		return nil, err
	}
	if c.Point == nil {
		c.Point = func(string, string) {}
	}
	return &Store{Config: c, cluster: nodes, keys: k}, nil
}

// Close closes the connections.
func (s *Store) Close() { s.cluster.Close() }

// Etcd is where it is kept.
func (s *Store) Etcd() *etcd.Cluster { return s.cluster }

// Run runs f in a transaction that begins by reading the keys that f is known to need, and writes
// what f changed unless f returned an error. It runs f again until nothing that f has read was
// changed meanwhile, or ctx ends: then the error is a wire.Error with the fault Unknown.
func (s *Store) Run(ctx context.Context, needs []string, f func(*Txn) error) error {
	return s.repeat(ctx, needs, f, func() {})
}

// repeat is Run, which calls collided after each run that collided with another transaction.
func (s *Store) repeat(ctx context.Context, needs []string, f func(*Txn) error,
	collided func()) error {
	for n := 0; ; n++ {
		err := s.once(ctx, needs, f)
		switch {
		case etcd.Full(err):
			return wire.Errorf(wire.Quota, "the database of the fleet is full")
		case errors.Is(err, errConflict), errors.Is(err, ErrAgain):
			s.Conflicts.Add(1)
			collided()
		case errors.Is(err, etcd.ErrUnreached):
			s.Unanswered.Add(1)
		default:
			return err
		}
		if !pause(ctx, n) {
			return wire.Errorf(wire.Unknown, "%v", err)
		}
	}
}

// ErrAgain says that a transaction is to run again.
var ErrAgain = errors.New("it must be tried again")

func (s *Store) once(ctx context.Context, needs []string, f func(*Txn) error) error {
	t := &Txn{point: func(string) {}, store: s, ctx: ctx, values: map[string]*value{},
		lists: map[string]map[string][]byte{}}
	if err := t.read(needs...); err != nil {
		return err
	}
	// Not before: a service that was frozen while it read must not take an old question for a new
	// one. One that is frozen from here on finds out when it writes whether anything was changed.
	t.Now = s.Clock()
	err := f(t)
	if t.broken != nil {
		return t.broken // f may have swallowed it
	}
	if err != nil {
		return err
	}
	return t.commit()
}

// Bounds of the wait before a transaction runs again.
const (
	shortestPause = 2 * time.Millisecond
	longestPause  = 100 * time.Millisecond
)

// pause waits for a random time, the longer the more often it was in vain, and reports whether ctx
// allows another try.
func pause(ctx context.Context, n int) bool {
	most := min(longestPause, shortestPause<<min(n, 10))
	select {
	case <-ctx.Done():
		return false
	case <-time.After(rand.N(most) + shortestPause/2):
		return true
	}
}
