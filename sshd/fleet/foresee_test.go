package fleet_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"latchkey/sshd/fleet"
	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/poll"
)

// foreseen is what will stop logins, or does already, and what enroll doctor says of it on web2.
type foreseen struct {
	name   string
	strike func(t *table) (undo func() error)
	level  string
	says   []string
}

// In a fleet of the suite all certificates last a day, of which doctor warns.
var foreseeable = []foreseen{
	{"nothing is wrong", func(*table) func() error { return none }, "ok",
		[]string{"break-glass", "let in by a code of this host: ", " (10 codes)"}},
	{"a service is down", (*table).withoutFirst, "warning", []string{"https://", "firewall"}},
	{"no service runs", (*table).withoutServices, "warning",
		[]string{"break-glass", "it is open: let in by a code of this host: "}},
	{"certificates run out in ten days", func(t *table) func() error {
		return t.certified(10*24*time.Hour + time.Hour)
	}, "warning", []string{"certificate of mfa1 for hosts", "in 10 days"}},
	{"certificates ran out", (*table).withOldCertificates, "error",
		[]string{"https://", "certificate has expired"}},
	{"a service's clock drifts", (*table).withDriftingClocks, "warning",
		[]string{"the clock of mfa1", "from 5 s on it answers nothing"}},
	{"clocks are wrong", (*table).withWrongClocks, "error", []string{"clock: ", "timedatectl"}},
	{"the database is full", (*table).full, "error", []string{"etcd's database", "it is full"}},
	{"the fleet is one of the past", (*table).withLaterEpoch, "error",
		[]string{"of epoch 1, older than 7"}},
	{"the host is revoked", (*table).revoked, "error", []string{"revoked", "enroll fleet join"}},
	{"the host may not ask for codes", (*table).withoutRole, "error",
		[]string{"roles of web2", "role verify"}},
}

// What stops logins in a fleet is found by enroll doctor, beforehand where it announces itself.
func TestDoctorFindsWhatWillStopTheLoginsOfAFleet(t *testing.T) {
	t.Parallel()
	one := newTable(t)
	for _, f := range foreseeable {
		ran := t.Run(f.name, func(t *testing.T) {
			with := *one
			with.T = t
			undo := f.strike(&with)
			with.ok(f.found(with.glass, true))
			with.ok(undo())
			with.ok(with.Ready())
			if f.level != "ok" {
				with.ok(f.found(with.glass, false))
			}
		})
		if !ran {
			return
		}
	}
}

// found waits until enroll doctor says it, or no longer does: services look at each other once a
// second.
func (f foreseen) found(h *fleet.Host, want bool) error {
	what := fmt.Sprintf("%s that says %q (%v)", f.level, f.says, want)
	return poll.Until(what, time.Minute, func() error {
		all, err := examine(h)
		if err == nil && all.has(f.level, f.says) != want {
			err = fmt.Errorf("got %+v", all)
		}
		return err
	})
}

// findings are what enroll doctor prints as JSON.
type findings []struct{ Check, Status, Detail, Hint string }

// has reports whether there is a finding of that level with these words.
func (all findings) has(level string, words []string) bool {
	for _, f := range all {
		text, whole := f.Check+": "+f.Detail+" "+f.Hint, f.Status == level
		for _, word := range words {
			whole = whole && strings.Contains(text, word)
		}
		if whole {
			return true
		}
	}
	return false
}

// examine runs enroll doctor, whose exit status says only whether anything failed.
func examine(h *fleet.Host) (all findings, err error) {
	out, err := h.Script("enroll doctor --json 2>/dev/null; true")
	if err == nil {
		err = json.Unmarshal([]byte(out), &all)
	}
	return all, err
}

// certified gives the services certificates that last that long.
func (t *table) certified(lasts time.Duration) func() error {
	t.Helper()
	t.ok(t.everywhere(certs.Wanted{Until: time.Now().Add(lasts)}))
	return func() error { return t.everywhere(certs.Wanted{}) }
}

func (t *table) withDriftingClocks() func() error { return t.withClocks(3*time.Second, none) }

// withLaterEpoch has the host remember an epoch that the fleet has not come to.
func (t *table) withLaterEpoch() func() error {
	t.Helper()
	_, err := t.glass.Script("cp -p /var/lib/latchkey/fleet.epoch /root/\n" +
		"sed -i 's/[0-9]*$/7/' /var/lib/latchkey/fleet.epoch")
	t.ok(err)
	return func() error {
		_, err := t.glass.Script("mv /root/fleet.epoch /var/lib/latchkey/")
		return err
	}
}
