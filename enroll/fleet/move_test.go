package fleet_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/fleet"
	"latchkey/enroll/fleet/reach"
	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/moving"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// moves is a move of users between a host and its fleet.
func moves(root testroot.Root) fleet.Move {
	return fleet.Move{Root: string(root), Clock: time.Now, Store: root.Store(),
		LookUp: func(name string) (record.User, error) {
			if name != alice.Name {
				return record.User{}, errors.New("no such user")
			}
			return alice, nil
		},
		Changed: func(fleet.Moved) {}}
}

// imports and exports are what killed processes do. The argument is the root.
func imports(args []string) error { return done(moves(testroot.Root(args[0])).Import(nil)) }
func exports(args []string) error {
	return done(moves(testroot.Root(args[0])).Export([]string{"alice"}))
}

// done is an error also if a user was not moved.
func done(all []fleet.Moved, err error) error {
	for _, m := range all {
		if m.Bad() {
			err = errors.Join(err, errors.New(m.Line()))
		}
	}
	return err
}

// administered is a host of f with alice's own record, and what she has used of it.
func administered(t *testing.T, f *testfleet.Fleet, name string, e enrollment.Enrollment) (
	testroot.Root, accounts.Accounts) {
	t.Helper()
	root := newHost(t)
	if len(e.Devices) > 0 {
		testroot.Must(t, root.Store().Enroll(enrollment.ByRoot(), alice, e))
	}
	j := join(root, ticketOf(t, f, name, hosts.Admin, hosts.Enroll))
	j.BreakGlass = nil
	_, err := j.Run()
	testroot.Must(t, err)
	return root, reach.Accounts(string(root), time.Now)
}

// own reports whether the host would accept alice's codes, were it a single one.
func own(root testroot.Root) bool {
	_, err := root.Keyring().Records.Load(alice)
	return err == nil
}

// step is what the code of now counts as.
func step() uint64 { return uint64(time.Now().Unix() / 30) }

func phone(counter uint64, used uint64) enrollment.Enrollment {
	r := enrollment.ImportedRecovery([]string{"12345678", "23456789", "34567890"})
	r.ID = [8]byte{1} // the same on all hosts, as if they had been copied
	return enrollment.Enrollment{Devices: []record.Device{testroot.TOTP("phone")},
		Counters: []uint64{counter}, Recovery: r, Used: used}
}

func accepts(t *testing.T, a accounts.Accounts, code string, want factor.Result) {
	t.Helper()
	m, _, err := a.Try(accounts.Try{User: alice, Code: code, Began: time.Now(),
		Limits: limit.Guesses{}})
	if err != nil || m.Result != want {
		t.Errorf("got %v, %v; want %v", m.Result, err, want)
	}
}

func TestWhatAnyOfThreeHostsHasUsedStaysUsedInTheFleet(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	a, in := administered(t, f, "a", phone(1, 0b001))
	b, _ := administered(t, f, "b", phone(step()+100, 0b010)) // ahead of all codes of now
	other := phone(7, 0)
	other.Devices[0].Secret = []byte("another secret of hers")
	other.Recovery.ID = [8]byte{9}
	c, _ := administered(t, f, "c", other)
	for _, root := range []testroot.Root{a, b, c} {
		all, err := moves(root).Import(nil)
		if err != nil || len(all) != 1 || all[0].Result != "imported" || own(root) {
			t.Fatalf("got %+v, %v; want alice imported and the record gone", all, err)
		}
		if root == c && len(all[0].Notes) != 2 {
			t.Errorf("got notes %q, want two: of a label, and of void codes", all[0].Notes)
		}
	}
	accepts(t, in, testroot.Code(t, testroot.TOTP("phone"), time.Now()), factor.Replayed)
	accepts(t, in, testroot.Code(t, other.Devices[0], time.Now()), factor.Accepted)
	accepts(t, in, "12345678", factor.Replayed)
	accepts(t, in, "23456789", factor.Replayed)
	accepts(t, in, "34567890", factor.Accepted)
	r, err := in.Record(alice)
	if err != nil || len(r.Devices) != 2 || r.Find("phone-2") == nil {
		t.Errorf("got %+v, %v; want both devices", r, err)
	}
}

func TestNoSecretOfAnImportedUserStaysOnTheHost(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root, _ := administered(t, f, "a", phone(0, 0))
	testroot.Must(t, imports([]string{string(root)}))
	for _, folder := range []string{"etc/latchkey/users", "etc/latchkey/users.moving",
		"var/lib/latchkey/users", "var/lib/latchkey/users.moving"} {
		names, err := os.ReadDir(root.Join(folder))
		if err != nil || len(names) > 0 {
			t.Errorf("%s: got %v, %v; want it empty", folder, names, err)
		}
	}
}

func TestExportBringsAUserBackWithEverythingUsed(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root, in := administered(t, f, "a", enrollment.Enrollment{})
	testroot.Must(t, in.Enroll(enrollment.ByRoot(), alice, phone(0, 0b001)))
	code := testroot.Code(t, testroot.TOTP("phone"), time.Now())
	accepts(t, in, code, factor.Accepted)
	testroot.Must(t, exports([]string{string(root)}))
	if _, err := in.Record(alice); !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("got %v, want alice gone from the fleet", err)
	}
	local := accounts.Local{Store: root.Store(), Clock: time.Now}
	accepts(t, local, code, factor.Replayed)
	accepts(t, local, "12345678", factor.Replayed)
	accepts(t, local, "23456789", factor.Accepted)
	err := exports([]string{string(root)})
	if err == nil || !strings.Contains(err.Error(), "record of the host's own") {
		t.Errorf("again: got %v, want that the host has a record", err)
	}
}

// An export that was interrupted goes on only with what it brought itself.
func TestExportDoesNotGoOnOverAnotherRecord(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root, in := administered(t, f, "a", enrollment.Enrollment{})
	testroot.Must(t, in.Enroll(enrollment.ByRoot(), alice, phone(0, 0)))
	d := &dispatch.Dispatcher{Root: string(root), Clock: time.Now, Watched: -1, Unlimited: true}
	client, err := reach.Connect(string(root), d)
	testroot.Must(t, err)
	var a moving.Answer
	testroot.Must(t, client.Ask(moving.OpExport, alice, moving.Question{ID: "export"}, &a))
	other := phone(0, 0)
	other.Devices[0].Secret = []byte("another secret of hers")
	testroot.Must(t, root.Store().Enroll(enrollment.ByRoot(), alice, other))
	err = exports([]string{string(root)})
	if err == nil || !strings.Contains(err.Error(), "record of the host's own") {
		t.Errorf("got %v, want that the host has another record", err)
	}
	testroot.Must(t, root.Store().Reset(enrollment.ByRoot(), alice.Name))
	testroot.Must(t, exports([]string{string(root)}))
	if r, err := root.Keyring().Records.Load(alice); err != nil ||
		!slices.Equal(r.Devices[0].Secret, testroot.TOTP("phone").Secret) {
		t.Errorf("got %+v, %v; want alice's device from the fleet", r, err)
	}
}

// The denied twins: of those who move, only what is certain moves.
func TestUsersWhoCannotMoveStayAsTheyAre(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root, in := administered(t, f, "a", phone(0, 0))
	m := moves(root)
	for name, u := range map[string]record.User{
		"gone": {}, "another uid": {Name: "alice", UID: 2000},
	} {
		m.LookUp = func(string) (record.User, error) {
			if u.Name == "" {
				return u, errors.New("no such user")
			}
			return u, nil
		}
		all, err := m.Import(nil)
		if err != nil || len(all) != 1 || !all[0].Bad() || !own(root) {
			t.Errorf("%s: got %+v, %v; want alice to stay", name, all, err)
		}
	}
	if all, err := moves(root).Export([]string{"bob", "alice"}); err != nil || len(all) != 2 ||
		!all[0].Bad() || !all[1].Bad() || !own(root) {
		t.Errorf("got %+v, %v; want no one exported", all, err)
	}
	if _, err := in.Record(alice); !errors.Is(err, factor.ErrUnenrolled) {
		t.Errorf("got %v, want alice not in the fleet", err)
	}
	enrolling := newHost(t)
	_, err := join(enrolling, ticketOf(t, f, "b", hosts.Enroll)).Run()
	testroot.Must(t, err)
	testroot.Must(t, enrolling.Store().Enroll(enrollment.ByRoot(), alice, phone(0, 0)))
	if _, err := moves(enrolling).Import(nil); fleet.Explain(err) == nil || !own(enrolling) {
		t.Errorf("got %v, want that the role is missing and alice stays", err)
	}
}

// FLEET.md section 7: at no instant do both accept a code, killed wherever it may be.
func TestMoveKilledAtAnySystemCallIsNeverInBothPlacesAndGoesOn(t *testing.T) {
	f := testfleet.New(t, "")
	f.Start(t, 1)
	root, in := administered(t, f, "a", phone(3, 0b001))
	calls := "flock write fsync renameat renameat2 unlinkat pwrite64"
	check := func(before string) (here, there bool) {
		t.Helper()
		_, err := in.Record(alice)
		if err != nil && !errors.Is(err, factor.ErrUnenrolled) {
			t.Fatalf("killed before %s: %v", before, err)
		}
		if here, there = own(root), err == nil; here && there {
			t.Errorf("killed before %s: got alice in both places", before)
		}
		return here, there
	}
	killed := map[string]int{}
	for _, c := range []struct {
		role     string
		do, undo func([]string) error
		here     bool // afterwards
	}{
		{"import", imports, exports, false}, {"export", exports, imports, true},
	} {
		args := []string{string(root)}
		testroot.Kills(t, calls, func(strace []string, before string) bool {
			err := testroot.Role(strace, c.role, args...).Run()
			here, _ := check(c.role + ", " + before)
			if err != nil {
				killed[c.role]++
				if here != c.here || len(names(t, root)) > 0 || c.role == "export" {
					testroot.Must(t, goOn(c.do(args), here == c.here))
				}
			}
			if here, there := check("nothing"); here != c.here || there == c.here {
				t.Fatalf("%s, killed before %s, and again: got here %v, there %v", c.role, before,
					here, there)
			}
			testroot.Must(t, c.undo(args))
			return err != nil
		})
		testroot.Must(t, c.do(args)) // for the next role
	}
	if killed["import"] < 5 || killed["export"] < 5 {
		t.Errorf("got kills %v: the injection does not work", killed)
	}
}

// names are the files of moving users.
func names(t *testing.T, root testroot.Root) (all []string) {
	t.Helper()
	for _, folder := range []string{"etc/latchkey/users.moving", "var/lib/latchkey/users.moving"} {
		files, _ := os.ReadDir(root.Join(folder)) // not there before the first move
		for _, f := range files {
			all = append(all, f.Name())
		}
	}
	return all
}

// goOn passes over that a move which was done is not done again.
func goOn(err error, was bool) error {
	if was && err != nil && strings.Contains(err.Error(), "record of the host's own") {
		return nil
	}
	return err
}
