package service

import (
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/node"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// Join is the body of the question "join", which a host signs with the key that is to be its own.
type Join struct {
	Secret []byte `json:"secret"` // of the ticket
	Key    string `json:"key"`    // fleetkey.Public
}

// join makes the host of a ticket one of the fleet's.
func join(c *Call) (store.Reply, error) {
	var j Join
	if err := read(c.q, &j); err != nil {
		return store.Reply{}, err
	}
	key, err := fleetkey.ParsePublic(j.Key)
	if err != nil {
		return store.Reply{}, wire.Errorf(wire.Protocol, "key: %v", err)
	}
	if _, err := c.opened.Prove(key); err != nil {
		return store.Reply{}, wire.Errorf(wire.Protocol, "%v", err)
	}
	return c.Once(func(t *store.Txn, q wire.Question) (any, error) {
		var h hosts.Host
		if _, err := t.Load(store.HostKey(q.Host), &h); err != nil {
			return nil, err
		}
		if !h.Join(j.Secret, key, t.Now) {
			return nil, wire.Errorf(wire.Revoked, "the ticket is not valid: used, too old, or none")
		}
		if err := t.Store(store.HostKey(q.Host), h); err != nil {
			return nil, err
		}
		return statusOf(t, h)
	})
}

func statusOf(t *store.Txn, h hosts.Host) (HostStatus, error) {
	s := HostStatus{Host: h.Name, Roles: h.Roles}
	var k node.Keys
	if _, err := t.Load(store.KeySigning, &k); err != nil {
		return s, err
	}
	public, err := k.Public()
	if err != nil {
		return s, err
	}
	for _, p := range public {
		s.VerifyKey = append(s.VerifyKey, p.String())
	}
	text, err := t.Get(store.KeyPolicy)
	s.Policy = string(text)
	return s, err
}
