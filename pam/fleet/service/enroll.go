package service

import (
	"encoding/json"
	"errors"
	"slices"

	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
)

// anyRole is the role of operations that look at the host's roles by themselves.
const anyRole Role = "any"

// enrollOps are the operations of enroll. What they do, and for which host, pam/accounts knows.
func enrollOps() map[string]Op {
	all := map[string]Op{}
	for _, op := range accounts.Ops() {
		all[op] = Op{Role: anyRole, Steps: enrollOnce}
		if accounts.AsksTwilio(op) {
			all[op] = Op{Role: anyRole, Steps: enrollByPhone}
		}
	}
	return all
}

func enrollOnce(c *Call) (store.Reply, error) {
	return c.Once(func(t *store.Txn, q wire.Question) (any, error) {
		by, err := c.caller(t)
		if err != nil {
			return nil, err
		}
		a, err := accounts.Serve(accountsOf(t), by, Account(q), q.Op, q.Body)
		if a.WantedChange() {
			t.Remember()
		}
		if a.WantedChange() && q.Op == "enroll.reset" {
			err = errors.Join(err, forgetExports(t, c.q.User))
		}
		return a, err
	})
}

func accountsOf(t *store.Txn) accounts.Local {
	return accounts.Local{Store: enrollment.Store{Keyring: t.Keyring()}, Clock: t.Clock,
		Users: t.Users}
}

// caller is what the fleet says about the host that asks.
func (c *Call) caller(t *store.Txn) (accounts.Caller, error) {
	var h hosts.Host
	if _, err := t.Load(store.HostKey(c.q.Host), &h); err != nil {
		return accounts.Caller{}, err
	}
	p, err := PolicyOf(t)
	if err != nil {
		return accounts.Caller{}, err
	}
	key, err := c.service.Config.Store.Secret.Derive("proof of enroll")
	enrolling := c.service.EnrollHosts
	return accounts.Caller{
		Host: c.q.Host, Enroll: h.May(hosts.Enroll, enrolling), Admin: h.May(hosts.Admin, nil),
		NoTicket: p.NoTicket, Limits: p.Limits, Phone: p.Phone, Key: key,
		Where: func() []string { return enrollHosts(t, enrolling) },
	}, err
}

// mostNamed is how many hosts a user is told of.
const mostNamed = 5

// enrollHosts are some hosts on which users may enroll, for people to read.
func enrollHosts(t *store.Txn, enrolling []string) (names []string) {
	all, _ := t.List(store.KeyHosts) // without it the user is told of none
	for _, text := range all {
		var h hosts.Host
		if json.Unmarshal(text, &h) == nil && h.May(hosts.Enroll, enrolling) {
			names = append(names, h.Name)
		}
	}
	slices.Sort(names)
	return names[:min(len(names), mostNamed)]
}
