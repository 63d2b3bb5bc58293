package admin

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// Invite makes a host that may join with the secret until a time.
func (a Admin) Invite(ctx context.Context, h hosts.Host, until time.Time) (secret []byte,
	err error) {
	if !wire.IsHostName(h.Name) {
		return nil, fmt.Errorf("%q cannot be the name of a host: letters, digits, . - _", h.Name)
	}
	err = a.host(ctx, h.Name, func(t *store.Txn, old hosts.Host) (hosts.Host, error) {
		if old.Status == hosts.Active {
			return old, fmt.Errorf("the host %q is in the fleet already; to invite it again, "+
				"revoke it first", h.Name)
		}
		var invited hosts.Host
		invited, secret = hosts.Invite(h, a.By, t.Now, until)
		return invited, nil
	})
	return secret, err
}

// Revoke ends what a host may do. Its next question is refused.
func (a Admin) Revoke(ctx context.Context, name string) error {
	return a.host(ctx, name, func(t *store.Txn, h hosts.Host) (hosts.Host, error) {
		if h.Status == "" {
			return h, noHost(name)
		}
		h.Revoke(a.By, t.Now)
		return h, nil
	})
}

// GiveRoles gives a host roles in place of those it has. They count at its next question.
func (a Admin) GiveRoles(ctx context.Context, name string, roles []hosts.Role) error {
	return a.host(ctx, name, func(_ *store.Txn, h hosts.Host) (hosts.Host, error) {
		switch h.Status {
		case hosts.Active, hosts.Invited:
			h.Roles = roles
			return h, nil
		case hosts.Revoked:
			return h, fmt.Errorf("the host %q was revoked; to take it in again, invite it", name)
		}
		return h, noHost(name)
	})
}

func noHost(name string) error { return fmt.Errorf("there is no host %q", name) }

// Release ends a host's quarantine.
func (a Admin) Release(ctx context.Context, name string) error {
	key := store.HostLimitKey(name)
	return a.Store.Run(ctx, []string{key}, func(t *store.Txn) error {
		var f hosts.Failures
		if _, err := t.Load(key, &f); err != nil {
			return err
		}
		if !f.Quarantined(t.Now) {
			return fmt.Errorf("the host %q is not in quarantine", name)
		}
		return t.Delete(key)
	})
}

func (a Admin) host(ctx context.Context, name string,
	change func(*store.Txn, hosts.Host) (hosts.Host, error)) error {
	key := store.HostKey(name)
	return a.Store.Run(ctx, []string{key}, func(t *store.Txn) error {
		var h hosts.Host
		if _, err := t.Load(key, &h); err != nil {
			return err
		}
		h, err := change(t, h)
		if err != nil {
			return err
		}
		return t.Store(key, h)
	})
}

// Host is a host as administrators see it.
type Host struct {
	hosts.Host
	Quarantine time.Time `json:"quarantine,omitzero"`
}

// Hosts lists all hosts by their names.
func (a Admin) Hosts(ctx context.Context) (all []Host, err error) {
	needs := []string{store.KeyHosts, store.KeyHostLimits}
	err = a.Store.Run(ctx, needs, func(t *store.Txn) error {
		all, err = hostsIn(t)
		return err
	})
	return all, err
}

func hostsIn(t *store.Txn) ([]Host, error) {
	known, err := t.List(store.KeyHosts)
	if err != nil {
		return nil, err
	}
	limits, err := t.List(store.KeyHostLimits)
	if err != nil {
		return nil, err
	}
	all := []Host{}
	for name, text := range known {
		var h Host
		if err := json.Unmarshal(text, &h.Host); err != nil {
			return nil, err
		}
		if h.Ticket != nil {
			h.Ticket.Hash = nil
		}
		var f hosts.Failures
		if text, there := limits[name]; there {
			if err := json.Unmarshal(text, &f); err != nil {
				return nil, err
			}
		}
		if f.Quarantined(t.Now) {
			h.Quarantine = f.Quarantine
		}
		all = append(all, h)
	}
	slices.SortFunc(all, func(a, b Host) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
