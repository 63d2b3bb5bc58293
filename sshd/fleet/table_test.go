package fleet_test

import (
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"latchkey/pam/flow/prompt"
	"latchkey/sshd/fleet"
	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/fleet/cluster"
	"latchkey/sshd/suite"
)

// row is a fault, what users see of it, and what the log says. Only where no service can be
// connected to may a break-glass code let anyone in.
type row struct {
	name       string
	strike     func(t *table) (undo func() error)
	sees       string
	log        []string
	breakGlass bool
}

// table is the fleet that the rows are tried on: alice may break the glass on web2, and bob may
// not; web1 denies everyone.
type table struct {
	*testing.T
	*fleet.Fleet
	deny, glass *fleet.Host
	alice, bob  *suite.User
	codes       []string // alice's break-glass codes
	tries       map[string]int
}

func (t *table) ok(err error) {
	t.Helper()
	must(t.T, err)
}

var rows = []row{
	{"no service runs", (*table).withoutServices, prompt.Unreachable,
		[]string{"reason=fleet", "unreachable"}, true},
	{"etcd has no majority", (*table).withoutMajority, prompt.MaybeUsed,
		[]string{"reason=fleet", "unknown"}, false},
	{"the services' certificates ran out", (*table).withOldCertificates, prompt.MaybeUsed,
		[]string{"reason=fleet", "protocol", "certificate"}, false},
	{"something else answers at the services' addresses", (*table).withStrangers,
		prompt.MaybeUsed, []string{"reason=fleet", "protocol"}, false},
	{"both hosts are revoked", (*table).revoked, prompt.NotAllowed,
		[]string{"reason=fleet", "revoked"}, false},
	{"fleet.toml has a mistake", (*table).withMistake, "Ask your administrator",
		[]string{"reason=config", "/etc/latchkey/fleet.toml:1"}, false},
	{"fleet.toml is empty", (*table).withEmptySettings, "Ask your administrator",
		[]string{"reason=config", "/etc/latchkey/fleet.toml"}, false},
	{"the host's key is gone", (*table).withoutKey, "Ask your administrator",
		[]string{"reason=config", "/var/lib/latchkey/fleet.key"}, false},
	{"the database is full", (*table).full, prompt.Unreachable, []string{"reason=fleet", "quota"},
		false},
}

// Every row of the table of faults, as users and administrators see it.
func TestEveryFaultDeniesWithItsOwnWordsAndOnlyOneOpensBreakGlass(t *testing.T) {
	t.Parallel()
	one := newTable(t)
	for _, r := range rows {
		t.Run(r.name, func(t *testing.T) {
			with := *one
			with.T = t
			undo := r.strike(&with)
			with.denied(r, with.deny, with.alice)
			with.denied(r, with.glass, with.bob)
			if r.breakGlass {
				with.opens()
			} else {
				with.denied(r, with.glass, with.alice, with.codes[0])
			}
			with.ok(undo())
			with.ok(with.Ready())
			with.allowed(with.deny, with.bob)
		})
	}
}

func newTable(t *testing.T) *table {
	t.Helper()
	one := &table{T: t, tries: map[string]int{},
		Fleet: start(t, fleet.Options{Etcd: small(), Service: "quarantine = \"1s\"\n"})}
	one.deny, one.glass = one.Hosts[0], one.Hosts[1]
	users, err := one.Users(2)
	must(t, err)
	one.alice, one.bob = users[0], users[1]
	one.ok(one.glass.BreakGlass(one.alice.Name))
	said, err := one.glass.Exec("", "/usr/bin/enroll", "fleet", "break-glass", one.alice.Name,
		"--yes", "--json")
	must(t, err)
	var printed struct{ Codes []string }
	must(t, json.Unmarshal([]byte(said), &printed))
	one.codes = printed.Codes
	return one
}

// denied demands that the user is kept out, with the row's words, whatever is typed.
func (t *table) denied(r row, h *fleet.Host, u *suite.User, typed ...string) {
	t.Helper()
	shown, in := see(t.T, h, u.Name, append(typed, u.CodeAt(1), u.Code())...)
	if in {
		t.Fatalf("%s on %s: got in:\n%s", u.Name, h.Name, shown)
	}
	t.tries[h.Name+u.Name]++
	contains(t.T, u.Name+" on "+h.Name, shown, r.sees)
	line := lastLine(t.T, h, u.Name, t.tries[h.Name+u.Name])
	contains(t.T, "the log of "+h.Name, line, append(r.log, "verdict=deny")...)
}

// opens demands that a break-glass code lets alice in, once, with an alert, and no other code.
func (t *table) opens() {
	t.Helper()
	key := t.glass.Name + t.alice.Name
	shown, in := see(t.T, t.glass, t.alice.Name, t.alice.Code(), t.codes[1])
	t.tries[key]++
	if !in {
		t.Errorf("alice with a break-glass code: got\n%s", shown)
	}
	contains(t.T, "alice", shown, "The login service cannot be reached.",
		"Type a break-glass code of this host.")
	contains(t.T, "the log", lastLine(t.T, t.glass, t.alice.Name, t.tries[key]), "verdict=allow",
		"reason=offline")
	if shown, in := see(t.T, t.glass, t.alice.Name, t.codes[1]); in {
		t.Errorf("alice with a break-glass code that was used: got in:\n%s", shown)
	}
	t.tries[key]++
	if shown, in := see(t.T, t.deny, t.alice.Name, t.codes[2]); in {
		t.Errorf("alice on another host with a break-glass code: got in:\n%s", shown)
	}
	t.tries[t.deny.Name+t.alice.Name]++
}

// allowed demands that a fresh app lets a user in again; the old one's codes may be used up.
func (t *table) allowed(h *fleet.Host, u *suite.User) {
	t.Helper()
	_, err := t.deny.Exec("", "/usr/bin/enroll", "reset", u.Name)
	t.ok(err)
	t.ok(t.Seed(u))
	shown, in := see(t.T, h, u.Name, u.Code())
	t.tries[h.Name+u.Name]++
	if !in {
		t.Errorf("%s on %s after the fault: got\n%s", u.Name, h.Name, shown)
	}
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
			errs = append(errs, t.Rejoin(h))
		}
		return errors.Join(append(errs, t.glass.BreakGlass(t.alice.Name))...)
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

// In a restored backup, codes are unused that were used since. So everyone is denied until an
// administrator accepts the restore, and such a code stays dead.
func TestARestoredBackupDeniesEveryoneAndRevivesNoCode(t *testing.T) {
	t.Parallel()
	f := start(t, fleet.Options{Hosts: 1})
	users, err := f.Users(2)
	must(t, err)
	u, other := users[0], users[1]
	codes, err := f.Hosts[0].Exec("", "/usr/bin/enroll", "codes", "--user", u.Name, "--yes")
	must(t, err)
	code := strings.Fields(codes)[0]
	backup := filepath.Join(t.TempDir(), "snapshot")
	must(t, f.Etcd.Snapshot(backup))
	if shown, in := see(t, f.Hosts[0], u.Name, code); !in {
		t.Fatalf("a recovery code: got\n%s", shown)
	}
	must(t, f.Etcd.Restore(backup))
	for i, typed := range []string{code, u.Code()} {
		if shown, in := see(t, f.Hosts[0], u.Name, typed); in {
			t.Fatalf("%s after the restore: got in\n%s", typed, shown)
		}
		contains(t, "the log", lastLine(t, f.Hosts[0], u.Name, i+2), "reason=fleet", "rollback")
	}
	_, err = f.Services[0].Command("", "accept-restore", "--yes")
	must(t, err)
	for _, typed := range []string{code, u.Code()} {
		if shown, in := see(t, f.Hosts[0], u.Name, typed); in {
			t.Errorf("%s after accept-restore: got in\n%s", typed, shown)
		}
	}
	_, err = f.Hosts[0].Exec("", "/usr/bin/enroll", "reset", other.Name)
	must(t, err)
	must(t, f.Seed(other))
	if shown, in := see(t, f.Hosts[0], other.Name, other.Code()); !in {
		t.Errorf("a new app after accept-restore: got\n%s", shown)
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
