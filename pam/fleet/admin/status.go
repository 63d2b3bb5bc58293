package admin

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/node"
	"latchkey/pam/fleet/store"
)

// Status is what is to be known about a fleet.
type Status struct {
	Epoch    store.Epoch `json:"epoch"`
	Services []Service   `json:"services"`
	Size     int64       `json:"etcd_bytes"`
	Full     bool        `json:"etcd_full"` // it takes nothing more

	Active      int `json:"hosts_active"`
	Invited     int `json:"hosts_invited"`
	Revoked     int `json:"hosts_revoked"`
	Quarantined int `json:"hosts_quarantined"`
}

// Service is one service.
type Service struct {
	Name  string    `json:"name"`
	At    time.Time `json:"at"` // when it renewed its number last, by its clock
	Alive bool      `json:"alive"`
}

// Silent is how long a service may be silent.
const Silent = 5 * time.Second

// Status looks at the fleet.
func (a Admin) Status(ctx context.Context) (s Status, err error) {
	needs := []string{store.KeyEpoch, store.KeyServices, store.KeyHosts, store.KeyHostLimits}
	err = a.Store.Run(ctx, needs, func(t *store.Txn) error {
		s = Status{}
		if s.Epoch, err = t.Epoch(); err != nil {
			return err
		}
		if s.Services, err = servicesIn(t); err != nil {
			return err
		}
		all, err := hostsIn(t)
		s.count(all)
		return err
	})
	if err != nil {
		return s, err
	}
	usage, err := a.Store.Etcd().Usage(ctx)
	s.Size, s.Full = usage.Bytes, usage.Full
	return s, err
}

func (s *Status) count(all []Host) {
	counts := map[hosts.Status]*int{hosts.Active: &s.Active, hosts.Invited: &s.Invited,
		hosts.Revoked: &s.Revoked}
	for _, h := range all {
		if n := counts[h.Status]; n != nil {
			*n++
		}
		if !h.Quarantine.IsZero() {
			s.Quarantined++
		}
	}
}

func servicesIn(t *store.Txn) ([]Service, error) {
	known, err := t.List(store.KeyServices)
	if err != nil {
		return nil, err
	}
	all := []Service{}
	for name, text := range known {
		var p node.Peer
		if err := json.Unmarshal(text, &p); err != nil {
			return nil, err
		}
		all = append(all, Service{name, p.At, t.Now.Sub(p.At).Abs() < Silent})
	}
	slices.SortFunc(all, func(a, b Service) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}
