package admin

import (
	"bytes"
	"context"
	"errors"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/node"
	"latchkey/pam/fleet/store"
)

// ErrNoNext says that there is no key to change to.
var ErrNoNext = errors.New("there is no next key: latchkey-fleetd rotate makes one")

// Keys returns what answers are signed with: the current key, and the next one if there is one.
func (a Admin) Keys(ctx context.Context) (public []fleetkey.Public, err error) {
	err = a.keys(ctx, func(k *node.Keys) (bool, error) {
		public, err = k.Public()
		return false, err
	})
	return public, err
}

// Rotate makes the next key, unless there is one. Answers are still signed with the current one.
func (a Admin) Rotate(ctx context.Context) error {
	return a.keys(ctx, func(k *node.Keys) (bool, error) {
		if len(k.Next) > 0 {
			return false, nil
		}
		k.Next = node.NewSeed()
		return true, nil
	})
}

// Finish has answers signed with the next key, and forgets the current one: hosts that do not have
// the next one as a verify_key refuse them from then on. A retry that finds that done changes
// nothing: a key that is the next one by then may be one that no host has.
func (a Admin) Finish(ctx context.Context) error {
	var next []byte
	return a.keys(ctx, func(k *node.Keys) (bool, error) {
		switch {
		case next != nil && bytes.Equal(k.Current, next):
			return false, nil
		case len(k.Next) == 0, next != nil && !bytes.Equal(k.Next, next):
			return false, ErrNoNext
		}
		next = k.Next
		k.Current, k.Next = next, nil
		return true, nil
	})
}

func (a Admin) keys(ctx context.Context, change func(*node.Keys) (bool, error)) error {
	return a.Store.Run(ctx, []string{store.KeySigning}, func(t *store.Txn) error {
		var k node.Keys
		found, err := t.Load(store.KeySigning, &k)
		if err == nil && !found {
			err = store.ErrNoFleet
		}
		if err != nil {
			return err
		}
		changed, err := change(&k)
		if err != nil || !changed {
			return err
		}
		return t.Store(store.KeySigning, k)
	})
}
