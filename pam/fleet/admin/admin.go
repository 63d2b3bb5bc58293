// Package admin is what administrators do to a fleet, in etcd. Each function is one transaction.
package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"latchkey/pam/fleet/node"
	"latchkey/pam/fleet/store"
	"latchkey/pam/policy"
)

// Admin is an administrator. The zero Admin does nothing.
type Admin struct {
	Store *store.Store
	By    string // who, for what keeps that
}

// Errors for an etcd that has a fleet already: one with this secret, or one that it does not open.
var (
	ErrFleet       = errors.New("etcd has a fleet already, and this service has its secret")
	ErrOtherSecret = errors.New("etcd has a fleet already, with another secret")
)

// Init makes an empty fleet in etcd. policyText is a latchkey.toml.
func (a Admin) Init(ctx context.Context, file string, policyText []byte) error {
	if err := CheckPolicy(file, policyText); err != nil {
		return err
	}
	return a.Store.Run(ctx, []string{store.KeyEpoch}, func(t *store.Txn) error {
		_, err := t.Epoch()
		switch {
		case err == nil:
			return ErrFleet
		case errors.Is(err, store.ErrSealed):
			return ErrOtherSecret
		case !errors.Is(err, store.ErrNoFleet):
			return err
		}
		return errors.Join(
			t.Store(store.KeyEpoch, store.Epoch{Number: 1, Began: t.Now}),
			t.Store(store.KeySigning, node.Keys{Current: node.NewSeed()}),
			t.Put(store.KeyPolicy, policyText),
		)
	})
}

// CheckPolicy refuses a latchkey.toml that is wrong.
func CheckPolicy(file string, text []byte) error {
	_, err := policy.Parse(file, text)
	return err
}

// Policy returns the fleet's latchkey.toml.
func (a Admin) Policy(ctx context.Context) (text []byte, err error) {
	err = a.Store.Run(ctx, []string{store.KeyPolicy}, func(t *store.Txn) error {
		text, err = t.Get(store.KeyPolicy)
		return err
	})
	return text, err
}

// SetPolicy makes a latchkey.toml the fleet's. It counts from the next question on.
func (a Admin) SetPolicy(ctx context.Context, file string, text []byte) error {
	if err := CheckPolicy(file, text); err != nil {
		return err
	}
	return a.Store.Run(ctx, []string{store.KeyPolicy}, func(t *store.Txn) error {
		return t.Put(store.KeyPolicy, text)
	})
}

// AcceptRestore begins a new epoch above least, in which nothing counts that may have been used
// between the backup and its restore. All services register again.
func (a Admin) AcceptRestore(ctx context.Context, least uint64) (e store.Epoch, err error) {
	needs := []string{store.KeyEpoch, store.KeyServices}
	err = a.Store.Run(ctx, needs, func(t *store.Txn) error {
		old, err := t.Epoch()
		if err != nil {
			return err
		}
		e = store.Epoch{Number: max(old.Number, least) + 1, Began: t.Now}
		services, err := t.List(store.KeyServices)
		if err != nil {
			return err
		}
		for name := range services {
			if err := t.Delete(store.ServiceKey(name)); err != nil {
				return err
			}
		}
		return t.Store(store.KeyEpoch, e)
	})
	return e, err
}

// ErrNoService says that there is no service of that name.
var ErrNoService = errors.New("there is no such service")

// RemoveService forgets a service that no longer exists, or whose own number was lost.
func (a Admin) RemoveService(ctx context.Context, name string) error {
	return a.Store.Run(ctx, []string{store.ServiceKey(name)}, func(t *store.Txn) error {
		text, err := t.Get(store.ServiceKey(name))
		if err != nil {
			return err
		}
		if text == nil {
			return fmt.Errorf("%w: %q", ErrNoService, name)
		}
		var p node.Peer
		if err := json.Unmarshal(text, &p); err != nil {
			return err
		}
		if t.Now.Sub(p.At).Abs() < Silent {
			return fmt.Errorf("the service %q is running; stop it first", name)
		}
		return t.Delete(store.ServiceKey(name))
	})
}
