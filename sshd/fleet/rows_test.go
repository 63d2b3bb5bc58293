package fleet_test

import (
	"context"
	"errors"
	"strings"
	"time"

	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/suite"
)

// withoutFirst kills the service that hosts ask first.
func (t *table) withoutFirst() func() error {
	t.Helper()
	t.ok(t.Services[0].Kill())
	return t.Services[0].Start
}

// withFrozenNode freezes a node of etcd that does not lead the others; a leader's turn is in
// TestACodeIsOneSessionOnThreeHostsWhateverBreaks.
func (t *table) withFrozenNode() func() error {
	t.Helper()
	leader, err := t.Etcd.Leader()
	t.ok(err)
	other := t.Etcd.Other(leader)
	t.ok(other.Stop())
	return other.Continue
}

// frozen stops all services: connections to them are made, and nothing comes of it.
func (t *table) frozen() func() error {
	t.Helper()
	for _, s := range t.Services {
		t.ok(s.Signal("STOP"))
	}
	return func() error {
		var errs []error
		for _, s := range t.Services {
			errs = append(errs, s.Signal("CONT"))
		}
		// The first renewal finds the other's clock to stand where it stood.
		return errors.Join(append(errs, t.Renewed(), t.Renewed())...)
	}
}

// usedElsewhere uses up a code of each user on a third host.
func (t *table) usedElsewhere() func() error {
	t.Helper()
	third, err := t.Join("web3", "verify")
	t.ok(err)
	for _, u := range []*suite.User{t.alice, t.bob} {
		t.fresh(u)
		code := u.CodeAt(1) // it still counts when the logins come, on a slow machine too
		if got := guess(third, u.Name, code); got != "accepted" {
			t.Fatalf("%s on web3: got %s", u.Name, got)
		}
		t.used[u.Name] = code
	}
	return none
}

func (t *table) withoutServices() func() error {
	t.Helper()
	for _, s := range t.Services {
		t.ok(s.Kill())
	}
	return func() error {
		var errs []error
		for _, s := range t.Services {
			errs = append(errs, s.Start())
		}
		return errors.Join(errs...)
	}
}

func (t *table) withoutMajority() func() error {
	t.Helper()
	strike, undo, err := majority(t.Fleet)
	t.ok(err)
	t.ok(strike())
	return func() error {
		err := undo()
		_, led := t.Etcd.Leader()
		return errors.Join(err, led)
	}
}

// everywhere configures all services with a certificate.
func (t *table) everywhere(w certs.Wanted) error {
	var errs []error
	for _, s := range t.Services {
		errs = append(errs, s.Configure(w))
	}
	return errors.Join(errs...)
}

func (t *table) withOldCertificates() func() error {
	t.Helper()
	t.ok(t.everywhere(certs.Wanted{Until: time.Now().Add(-time.Minute)}))
	return func() error { return t.everywhere(certs.Wanted{}) }
}

func (t *table) withStrangers() func() error {
	t.Helper()
	ours := t.CA
	other, err := certs.New("another authority")
	t.ok(err)
	t.CA = other
	err = t.everywhere(certs.Wanted{})
	t.CA = ours
	t.ok(err)
	return func() error { return t.everywhere(certs.Wanted{}) }
}

func (t *table) revoked() func() error {
	t.Helper()
	for _, h := range t.Hosts {
		_, err := t.Services[1].Command("", "host", "revoke", h.Name)
		t.ok(err)
	}
	return func() error {
		var errs []error
		for _, h := range t.Hosts {
			errs = append(errs, t.Rejoin(h, ""))
		}
		return errors.Join(append(errs, t.glass.BreakGlass(t.alice.Name))...)
	}
}

// quarantined has wrong codes come from both hosts.
func (t *table) quarantined() func() error {
	t.Helper()
	for _, h := range t.Hosts {
		for range 5 {
			if got := guess(h.Asker, t.carol.Name, t.carol.WrongCode()); got != "wrong" {
				t.Fatalf("a wrong code from %s: got %s", h.Name, got)
			}
		}
	}
	return func() error {
		var errs []error
		for _, h := range t.Hosts {
			_, err := t.Services[1].Command("", "host", "release", h.Name)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
}

// withoutRole has both hosts join again, as hosts on which users enroll.
func (t *table) withoutRole() func() error {
	t.Helper()
	back := t.revoked()
	for _, h := range t.Hosts {
		t.ok(t.Rejoin(h, "enroll,admin"))
	}
	t.ok(t.glass.BreakGlass(t.alice.Name))
	return func() error {
		for _, h := range t.Hosts {
			if _, err := t.Services[1].Command("", "host", "revoke", h.Name); err != nil {
				return err
			}
		}
		return back()
	}
}

// onHosts runs a script on both hosts; back undoes it.
func (t *table) onHosts(script, back string) func() error {
	t.Helper()
	for _, h := range t.Hosts {
		_, err := h.Script(script)
		t.ok(err)
	}
	return func() error {
		var errs []error
		for _, h := range t.Hosts {
			_, err := h.Script(back)
			errs = append(errs, err)
		}
		return errors.Join(errs...)
	}
}

const restoreSettings = "mv /root/fleet.toml /etc/latchkey/fleet.toml"

func (t *table) withMistake() func() error {
	return t.onHosts("cp /etc/latchkey/fleet.toml /root/\n"+
		"sed -i '1s/services/servces/' /etc/latchkey/fleet.toml", restoreSettings)
}

func (t *table) withEmptySettings() func() error {
	return t.onHosts("cp /etc/latchkey/fleet.toml /root/\n: >/etc/latchkey/fleet.toml",
		restoreSettings)
}

func (t *table) withoutSettings() func() error {
	return t.onHosts("mv /etc/latchkey/fleet.toml /root/", restoreSettings)
}

func (t *table) withoutKey() func() error {
	return t.onHosts("mv /var/lib/latchkey/fleet.key /root/",
		"mv /root/fleet.key /var/lib/latchkey/")
}

// full writes into etcd until it takes nothing more; undo makes room.
func (t *table) full() func() error {
	t.Helper()
	t.ok(fill(t.Etcd))
	return func() error { return empty(t.Etcd) }
}

// setBack restores a backup that is older than what the services have seen.
func (t *table) setBack() func() error {
	t.Helper()
	t.ok(t.Etcd.Snapshot(t.backup))
	t.fresh(t.bob)
	t.ok(t.Etcd.Restore(t.backup))
	t.ok(t.Refusing())
	return func() error {
		_, err := t.Services[0].Command("", "accept-restore", "--yes")
		return err
	}
}

// small is an etcd that is soon full.
func small() (o cluster.Options) { o.Quota = 24 << 20; return o }

func fill(c *cluster.Cluster) error {
	for {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
		_, err := c.Nodes[0].UserCtl(ctx, "put", cluster.Prefix+"filler",
			strings.Repeat("x", 100<<10))
		cancel()
		if err != nil && strings.Contains(err.Error(), "database space exceeded") {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

func empty(c *cluster.Cluster) error { return c.Compact() }
