package service

import (
	"encoding/json"
	"maps"

	"latchkey/pam/fleet/health"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// joining is the role of an operation that needs none: a ticket stands for it.
const joining Role = "join"

// operations are all that a question can ask for.
func operations() map[string]Op {
	all := map[string]Op{
		"join":    {Role: joining, Steps: join},
		"status":  {Role: hosts.Verify, Run: status},
		health.Op: {Role: anyRole, Steps: healthOf},
	}
	maps.Copy(all, loginOps())
	maps.Copy(all, enrollOps())
	maps.Copy(all, movingOps())
	return all
}

// read reads the body of a question.
func read(q wire.Question, into any) error {
	if err := json.Unmarshal(q.Body, into); err != nil {
		// what the error quotes may be a code
		return wire.Errorf(wire.Protocol, "the body of %q makes no sense", q.Op)
	}
	return nil
}

// HostStatus is what a host may know of its fleet.
type HostStatus struct {
	Host      string   `json:"host"`
	Roles     []Role   `json:"roles"`
	VerifyKey []string `json:"verify_key"`
	Policy    string   `json:"policy"` // latchkey.toml of the fleet
}

// status tells a host about itself and the fleet.
func status(t *store.Txn, q wire.Question) (any, error) {
	var h hosts.Host
	if _, err := t.Load(store.HostKey(q.Host), &h); err != nil {
		return nil, err
	}
	return statusOf(t, h)
}
