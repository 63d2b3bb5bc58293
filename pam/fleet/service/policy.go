package service

import (
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/policy"
)

// PolicyOf is the fleet's policy: that of a latchkey.toml which an administrator has put into
// etcd, or the default one.
func PolicyOf(t *store.Txn) (*policy.Policy, error) {
	text, err := t.Get(store.KeyPolicy)
	if err != nil {
		return nil, err
	}
	p, err := policy.Parse("the fleet's policy", text)
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "%v", err)
	}
	return p, nil
}
