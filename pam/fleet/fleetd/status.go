package main

import (
	"context"
	"fmt"
	"text/tabwriter"
	"time"

	"latchkey/pam/fleet/admin"
)

// status is what there is to know about the fleet from this service.
type status struct {
	admin.Status
	Name        string    `json:"name"` // of this service
	Certificate time.Time `json:"certificate_until"`
	Quota       int64     `json:"etcd_quota"`
	VerifyKey   []string  `json:"verify_key"`
	FleetKey    string    `json:"fleet_key"`
}

func (p *program) status(ctx context.Context, o options) error {
	f, err := p.open()
	if err != nil {
		return err
	}
	defer f.store.Close()
	s, err := f.status(ctx)
	if err != nil {
		return err
	}
	return p.print(o, s, func() { p.showStatus(s) })
}

func (f *fleet) status(ctx context.Context) (s status, err error) {
	if s.Status, err = f.Status(ctx); err != nil {
		return s, err
	}
	s.Name, s.Quota = f.Name, int64(f.Quota)<<30
	public, err := f.Keys(ctx)
	if err != nil {
		return s, err
	}
	for _, k := range public {
		s.VerifyKey = append(s.VerifyKey, k.String())
	}
	opening, err := f.secret.Opening()
	if err != nil {
		return s, err
	}
	s.FleetKey = opening.Public().String()
	pair, err := f.Pair()
	if err != nil {
		return s, err
	}
	s.Certificate = pair.Leaf.NotAfter
	return s, nil
}

func (p *program) showStatus(s status) {
	fmt.Fprintf(p.out, "epoch %d since %s\n", s.Epoch.Number, moment(s.Epoch.Began))
	full := ""
	if s.Full {
		full = ": FULL, and everyone is denied; make room, then etcdctl alarm disarm"
	}
	fmt.Fprintf(p.out, "etcd: %d MiB of %d MiB%s\n", s.Size>>20, s.Quota>>20, full)
	fmt.Fprintf(p.out, "hosts: %d active, %d invited, %d revoked, %d in quarantine\n", s.Active,
		s.Invited, s.Revoked, s.Quarantined)
	fmt.Fprintf(p.out, "certificate of this service: until %s\n\n", moment(s.Certificate))
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SERVICE\tANSWERS\tLAST SEEN")
	for _, one := range s.Services {
		answers := "yes"
		if !one.Alive {
			answers = "no"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", one.Name, answers, one.At.Local().Format(time.DateTime))
	}
	w.Flush()
}
