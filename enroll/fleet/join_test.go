package fleet_test

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/fleet"
	"latchkey/enroll/fleet/reach"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/standin"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
)

func TestHostThatJoinedAsksItsFleetAndHasBreakGlassCodes(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 2)
	f.Enroll(t, "alice", testroot.TOTP("phone"))
	root := newHost(t)
	joined, err := join(root, ticketOf(t, f, "bastion", hosts.Verify, hosts.Enroll)).Run()
	if err != nil || joined.Host != "bastion" ||
		strings.Join(joined.Roles, " ") != "verify enroll" ||
		len(joined.BreakGlass) != 1 || len(joined.BreakGlass[0].Codes) != 10 {
		t.Fatalf("got %+v, %v; want it joined with break-glass codes", joined, err)
	}
	s, err := settings.Load(string(root))
	if err != nil || !s.MayBreakGlass("alice") || s.MayBreakGlass("bob") || len(s.Services) != 2 {
		t.Errorf("got %+v, %v; want settings of two services, alice named", s, err)
	}
	for path, want := range map[string]os.FileMode{settings.Path: 0o644, settings.CAPath: 0o644,
		settings.KeyPath: 0o600} {
		if info, err := os.Stat(root.Join(path)); err != nil || info.Mode() != want {
			t.Errorf("%s: got %v, %v; want mode %v", path, info, err, want)
		}
	}
	r, err := reach.Accounts(string(root), time.Now).Record(alice)
	if err != nil || r.Find("phone") == nil {
		t.Errorf("got %+v, %v; want alice's record of the fleet", r, err)
	}
	again := join(root, ticketOf(t, f, "bastion2", hosts.Verify))
	if _, err := again.Run(); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("a second fleet: got %v, want that there is one", err)
	}
}

func TestTicketsThatAreNoneJoinNothing(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	good := ticketOf(t, f, "web1", hosts.Verify)
	other := newHost(t)
	_, err := join(other, good).Run()
	testroot.Must(t, err)
	late := func() time.Time { return time.Now().Add(2 * time.Hour) }
	for name, c := range map[string]struct {
		ticket string
		clock  func() time.Time
		says   string
	}{
		"nothing":      {"", time.Now, "not a ticket"},
		"half of it":   {good[:len(good)/2], time.Now, "not the whole"},
		"too old":      {good, late, "was good until"},
		"used already": {good, time.Now, "it was used"},
	} {
		root := newHost(t)
		j := join(root, c.ticket)
		j.Clock = c.clock
		if _, err := j.Run(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: got %v, want one that says %q", name, err, c.says)
		}
		if settings.InFleet(string(root)) {
			t.Errorf("%s: the host is in a fleet", name)
		}
	}
}

func TestJoinKilledAtAnySystemCallLeavesTheHostInOrOutAndMayBeTriedAgain(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root, n := newHost(t), 0
	file := root.Join("ticket")
	invite := func() {
		n++
		testroot.Write(t, file, []byte(ticketOf(t, f, fmt.Sprintf("web%d", n), hosts.Enroll)))
	}
	invite()
	killed := 0
	testroot.Kills(t, "flock write fsync fchmod renameat2 unlinkat",
		func(strace []string, before string) bool {
			err := testroot.Role(strace, "join", string(root), file).Run()
			if err != nil { // it was killed, or latchkey-fleet was
				killed++
			}
			if in := settings.InFleet(string(root)); !in {
				if err == nil {
					t.Errorf("before %s: got it out, want it in", before)
				}
				if err := joins([]string{string(root), file}); err != nil {
					t.Fatalf("killed before %s, and tried again: %v", before, err)
				}
			}
			_, asked := reach.Accounts(string(root), time.Now).Record(alice)
			if !errors.Is(asked, factor.ErrUnenrolled) {
				t.Errorf("killed before %s: got %v, want an answer of the fleet", before, asked)
			}
			testroot.Must(t, fleet.Leave(string(root)))
			invite()
			return err != nil
		})
	if killed < 10 {
		t.Errorf("only %d kills: the injection does not work", killed)
	}
}

// What a host has of another fleet, or of a join that came to nothing, is of no use in this one.
func TestHostJoinsWithoutWhatItHadOfAnotherFleet(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root := newHost(t)
	testroot.Write(t, root.Join("var/lib/latchkey/fleet.epoch"), []byte("latchkey-fleet-epoch-1 9\n"))
	stale := root.Join("var/lib/latchkey/fleet.joining-0011223344556677")
	testroot.Write(t, stale, []byte("a key"))
	_, err := join(root, ticketOf(t, f, "web1", hosts.Verify)).Run()
	testroot.Must(t, err)
	if s := examined(root, time.Now); s.Epoch != 1 || s.Bad() != 0 {
		t.Errorf("got %+v, want it sound in epoch 1", s)
	}
	if _, err := os.Lstat(stale); !os.IsNotExist(err) {
		t.Errorf("the key of another join: got %v, want it gone", err)
	}
}

// At no moment is the host one that lets no one in.
func TestLeaveKilledAtAnySystemCallLeavesTheHostInOrOut(t *testing.T) {
	root := testroot.New(t)
	one := standin.Start(t, time.Now)
	killed := 0
	testroot.Kills(t, "fsync fchmod renameat2 unlinkat", func(strace []string, before string) bool {
		one.Join(root, "web1", "")
		err := testroot.Role(strace, "leave", string(root)).Run()
		if err != nil {
			killed++
		}
		if settings.InFleet(string(root)) {
			if _, err := settings.Load(string(root)); err != nil {
				t.Errorf("killed before %s: got %v, want it in the fleet or out", before, err)
			}
			testroot.Must(t, fleet.Leave(string(root)))
		} else if err == nil && fleet.Leave(string(root)) == nil {
			t.Errorf("before %s: it had not left", before)
		}
		return err != nil
	})
	if killed < 6 {
		t.Errorf("only %d kills: the injection does not work", killed)
	}
}

func TestHostThatLeftIsASingleOneAndAnswersNothingMore(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root := newHost(t)
	_, err := join(root, ticketOf(t, f, "web1", hosts.Verify)).Run()
	testroot.Must(t, err)
	testroot.Must(t, fleet.Leave(string(root)))
	for _, path := range []string{settings.Path, settings.KeyPath, settings.CAPath} {
		if _, err := os.Lstat(root.Join(path)); !os.IsNotExist(err) {
			t.Errorf("%s: got %v, want it gone", path, err)
		}
	}
	if err := fleet.Leave(string(root)); !errors.Is(err, fleet.ErrNotJoined) {
		t.Errorf("again: got %v, want %v", err, fleet.ErrNotJoined)
	}
}
