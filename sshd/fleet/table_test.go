package fleet_test

import (
	"encoding/json"
	"sync"
	"testing"

	"latchkey/pam/flow/prompt"
	"latchkey/sshd/fleet"
	"latchkey/sshd/suite"
)

// row is a fault, what users see of it, and what the log says. Only where no service can be
// connected to may a break-glass code let anyone in.
type row struct {
	name   string
	strike func(t *table) (undo func() error)
	sees   string // empty: nothing, because they get in
	log    []string
}

// table is the fleet that the rows are tried on: alice may break the glass on web2, and bob may
// not; web1 denies everyone.
type table struct {
	*testing.T
	*fleet.Fleet
	deny, glass       *fleet.Host
	alice, bob, carol *suite.User
	codes             []string          // alice's break-glass codes
	used              map[string]string // codes that were used before the row's logins, by user
	tries             map[string]int
	backup            string // a file
}

func (t *table) ok(err error) {
	t.Helper()
	must(t.T, err)
}

var rows = []row{
	{"a service is killed", (*table).withoutFirst, "", nil},
	{"a node of etcd is frozen", (*table).withFrozenNode, "", nil},
	{"etcd has no majority", (*table).withoutMajority, prompt.MaybeUsed,
		[]string{"reason=fleet", "unknown"}},
	{"no service answers in time", (*table).frozen, prompt.MaybeUsed,
		[]string{"reason=fleet", "unknown"}},
	{"the code was used on another host", (*table).usedElsewhere, prompt.UsedBefore,
		[]string{"reason=replayed"}},
	{"both hosts are revoked", (*table).revoked, prompt.NotAllowed,
		[]string{"reason=fleet", "revoked"}},
	{"both hosts are in quarantine", (*table).quarantined, prompt.NotAllowed,
		[]string{"reason=fleet", "quarantine"}},
	{"the hosts have another role", (*table).withoutRole, prompt.NotAllowed,
		[]string{"reason=fleet", "role"}},
	{"the services' certificates ran out", (*table).withOldCertificates, prompt.MaybeUsed,
		[]string{"reason=fleet", "protocol", "certificate"}},
	{"services with another authority's certificates", (*table).withStrangers,
		prompt.MaybeUsed, []string{"reason=fleet", "protocol"}},
	{"something else listens at the services' addresses", (*table).withNoise,
		prompt.MaybeUsed, []string{"reason=fleet", "protocol"}},
	{"answers that are noise", impostors(noise), prompt.MaybeUsed,
		[]string{"reason=fleet", "forged"}},
	{"answers that another key has signed", impostors(signedByAnother), prompt.MaybeUsed,
		[]string{"reason=fleet", "forged"}},
	{"an answer to another question", impostors(toAnotherQuestion), prompt.MaybeUsed,
		[]string{"reason=fleet", "forged"}},
	{"a service that says it is unreachable", impostors(unreachable), prompt.MaybeUsed,
		[]string{"reason=fleet", "protocol"}},
	{"the services' clocks are wrong", (*table).withWrongClocks, prompt.Unreachable,
		[]string{"reason=fleet", "clock"}},
	{"the database is full", (*table).full, prompt.Unreachable,
		[]string{"reason=fleet", "quota"}},
	{"the database was set back to a backup", (*table).setBack, prompt.Unreachable,
		[]string{"reason=fleet", "rollback"}},
	{"an answer of an older epoch", (*table).ofAnOlderEpoch, prompt.MaybeUsed,
		[]string{"reason=fleet", "epoch"}},
	{"fleet.toml has a mistake", (*table).withMistake, "Ask your administrator",
		[]string{"reason=config", "/etc/latchkey/fleet.toml:1"}},
	{"fleet.toml is empty", (*table).withEmptySettings, "Ask your administrator",
		[]string{"reason=config", "/etc/latchkey/fleet.toml"}},
	{"fleet.toml is gone", (*table).withoutSettings, "Ask your administrator",
		[]string{"reason=config", "/etc/latchkey/fleet.toml is missing"}},
	{"the host's key is gone", (*table).withoutKey, "Ask your administrator",
		[]string{"reason=config", "/var/lib/latchkey/fleet.key"}},
}

// Every row of the table of faults, as users and administrators see it, on a host that denies and
// on one that breaks the glass.
func TestEveryFaultDeniesWithItsOwnWordsAndOnlyOneOpensBreakGlass(t *testing.T) {
	t.Parallel()
	one := newTable(t)
	for _, r := range rows {
		ran := t.Run(r.name, func(t *testing.T) {
			with := *one
			with.T, with.used = t, map[string]string{}
			undo := r.strike(&with)
			if r.sees == "" {
				with.nothingSeen()
			} else {
				with.denied(r)
			}
			with.ok(undo())
			with.ok(with.Ready())
			with.allowed(with.deny, with.bob)
		})
		if !ran { // and so may not have been undone
			return
		}
	}
	// The code that every row has refused is good.
	t.Run("no service runs", func(t *testing.T) {
		with := *one
		with.T = t
		undo := with.withoutServices()
		with.denied(row{sees: prompt.Unreachable, log: []string{"reason=fleet", "unreachable"}},
			login{with.deny, with.alice, nil}, login{with.glass, with.bob, nil})
		with.opens()
		with.ok(undo())
		with.ok(with.Ready())
		with.allowed(with.deny, with.bob)
	})
}

func newTable(t *testing.T) *table {
	t.Helper()
	one := &table{T: t, tries: map[string]int{}, backup: t.TempDir() + "/backup",
		Fleet: start(t, fleet.Options{Etcd: small(), Service: "host_limit = \"5/10m\"\n"})}
	one.deny, one.glass = one.Hosts[0], one.Hosts[1]
	users, err := one.Users(3)
	must(t, err)
	one.alice, one.bob, one.carol = users[0], users[1], users[2]
	one.ok(one.glass.BreakGlass(one.alice.Name))
	said, err := one.glass.Exec("", "/usr/bin/enroll", "fleet", "break-glass", one.alice.Name,
		"--yes", "--json")
	must(t, err)
	var printed struct{ Codes []string }
	must(t, json.Unmarshal([]byte(said), &printed))
	one.codes = printed.Codes
	return one
}

// login is one that a row is tried with: what is typed before a code of the app.
type login struct {
	on    *fleet.Host
	user  *suite.User
	typed []string
}

// denied demands that users are kept out, with the row's words, whatever they type. They log in at
// the same time.
func (t *table) denied(r row, logins ...login) {
	t.Helper()
	if logins == nil {
		logins = []login{{t.deny, t.alice, nil}, {t.glass, t.bob, nil},
			{t.glass, t.alice, t.codes[:1]}}
	}
	shown, in := make([]string, len(logins)), make([]bool, len(logins))
	errs := make([]error, len(logins))
	var all sync.WaitGroup
	for i, l := range logins {
		all.Go(func() {
			shown[i], in[i], errs[i] = seen(l.on, l.user.Name, append(l.typed, t.types(l.user)...))
		})
	}
	all.Wait()
	for i, l := range logins {
		t.ok(errs[i])
		who := l.user.Name + " on " + l.on.Name
		if in[i] {
			t.Fatalf("%s: got in:\n%s", who, shown[i])
		}
		contains(t.T, who, shown[i], r.sees)
		contains(t.T, "the log of "+l.on.Name, t.line(l.on, l.user),
			append(r.log, "verdict=deny")...)
	}
}

// types are codes that a user types: those of the app, or one that was used.
func (t *table) types(u *suite.User) []string {
	if code := t.used[u.Name]; code != "" {
		return []string{code, code, code}
	}
	return []string{u.CodeAt(1), u.Code()}
}

// line is the audit line of a user's newest login on a host.
func (t *table) line(h *fleet.Host, u *suite.User) string {
	t.Helper()
	t.tries[h.Name+u.Name]++
	return lastLine(t.T, h, u.Name, t.tries[h.Name+u.Name])
}

// opens demands that a break-glass code lets alice in, once, with an alert, and no other code.
func (t *table) opens() {
	t.Helper()
	shown, in := see(t.T, t.glass, t.alice.Name, t.alice.Code(), t.codes[0])
	if !in {
		t.Errorf("alice with a break-glass code: got\n%s", shown)
	}
	contains(t.T, "alice", shown, "The login service cannot be reached.",
		"Type a break-glass code of this host.")
	contains(t.T, "the log", t.line(t.glass, t.alice), "verdict=allow", "reason=offline")
	if shown, in := see(t.T, t.glass, t.alice.Name, t.codes[0]); in {
		t.Errorf("alice with a break-glass code that was used: got in:\n%s", shown)
	}
	if shown, in := see(t.T, t.deny, t.alice.Name, t.codes[1]); in {
		t.Errorf("alice on another host with a break-glass code: got in:\n%s", shown)
	}
	t.tries[t.glass.Name+t.alice.Name]++
	t.tries[t.deny.Name+t.alice.Name]++
}

// nothingSeen demands that users get in on both hosts as if nothing was, and with no code that is
// for another time.
func (t *table) nothingSeen() {
	t.Helper()
	if shown, in := see(t.T, t.glass, t.alice.Name, t.codes[0]); in {
		t.Errorf("alice with a break-glass code: got in:\n%s", shown)
	}
	t.tries[t.glass.Name+t.alice.Name]++
	t.allowed(t.deny, t.bob)
	t.allowed(t.glass, t.alice)
}

// allowed demands that a fresh app lets a user in; the old one's codes may be used up.
func (t *table) allowed(h *fleet.Host, u *suite.User) {
	t.Helper()
	t.fresh(u)
	shown, in := see(t.T, h, u.Name, u.Code())
	if !in {
		t.Errorf("%s on %s: got\n%s", u.Name, h.Name, shown)
	}
	contains(t.T, "the log", t.line(h, u), "verdict=allow", "reason=ok")
}

// fresh gives a user a new app in place of everything.
func (t *table) fresh(u *suite.User) {
	t.Helper()
	_, err := t.deny.Exec("", "/usr/bin/enroll", "reset", u.Name)
	t.ok(err)
	t.ok(t.Seed(u))
}
