package service_test

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/factor/oath"
	"latchkey/pam/factor/owncode"
	"latchkey/pam/fleet/admin"
	"latchkey/pam/fleet/node"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/sshd/poll"
)

// eventually repeats a question until a fault is the one that is wanted.
func (s *site) eventually(h *testfleet.Host, user, code string, want wire.Fault) {
	s.Helper()
	s.until("fault "+string(want), func() bool {
		a := s.guess(h, user, code)
		if want != wire.Done && a.Fault == wire.Done &&
			testfleet.Guessed(s, a).Result == authority.Accepted {
			s.Fatal("accepted")
		}
		return a.Fault == want
	})
}

// until polls until something is so.
func (s *site) until(what string, is func() bool) {
	s.Helper()
	testroot.Must(s, poll.Until(what, time.Minute, func() error {
		if !is() {
			return errors.New("it is not so")
		}
		return nil
	}))
}

// recovery is a record of a user with a recovery code, an app and a token.
func recovery(t testing.TB, name, code string) (*record.Record, state.State) {
	t.Helper()
	salt := make([]byte, record.RecoverySalt)
	hash, err := owncode.Hash(code, salt)
	testroot.Must(t, err)
	token := phone
	token.ID, token.Label, token.Type, token.Period = state.DeviceID{9}, "token", method.HOTP, 0
	rec := &record.Record{Name: name, Enrollment: state.EnrollmentID{5},
		Devices:  []record.Device{phone, token},
		Recovery: record.Recovery{ID: state.SetID{3}, Salt: salt, Hashes: [][]byte{hash}}}
	return rec, state.State{Enrollment: rec.Enrollment, Recovery: state.Recovery{Set: state.SetID{3}},
		Devices: []state.Device{{ID: phone.ID}, {ID: token.ID, Counter: 50}}}
}

const recoveryCode = "abcdefghjk"

// Snapshot, use a recovery code, restore: everyone is denied until accept-restore, and the code
// stays dead.
func TestRestoredBackupRevivesNoCode(t *testing.T) {
	clock := &hands{}
	s := newSite(t, 2, func(f *testfleet.Fleet) { f.Clock = clock.on(f.Clock) })
	rec, st := recovery(t, "carol", recoveryCode)
	token := rec.Devices[1]
	s.Save(t, rec, st)
	backup := filepath.Join(t.TempDir(), "backup")
	testroot.Must(t, s.Etcd.Snapshot(backup))
	pressed := func(counter uint64) string {
		c, err := oath.Code(&token, counter)
		testroot.Must(t, err)
		return c
	}
	app := s.code()
	s.result(s.web1, "carol", recoveryCode, authority.Accepted)
	s.result(s.web1, "carol", app, authority.Accepted)
	s.result(s.web1, "carol", pressed(50), authority.Accepted)
	s.renewed()
	testroot.Must(t, s.Etcd.Restore(backup))

	s.eventually(s.web1, "carol", recoveryCode, wire.Rollback)
	again := s.restarted(1)
	s.Services = append(s.Services[:1], again)
	s.until("rollback, from a service that was started again", func() bool {
		a := s.again(s.web1, 1, s.seal(s.web1, "carol", app))
		if a.Fault == wire.Done {
			t.Fatalf("a service that was started again: got %s, want rollback", a.Body)
		}
		return a.Fault == wire.Rollback
	})

	e, err := s.Admin.AcceptRestore(testfleet.Context(t), 0)
	if err != nil || e.Number != 2 {
		t.Fatalf("got epoch %+v, %v; want 2", e, err)
	}
	s.eventually(s.web1, "alice", "000000", "")
	s.result(s.web1, "carol", recoveryCode, authority.Replayed)
	s.result(s.web1, "carol", app, authority.Replayed)
	s.result(s.web1, "carol", pressed(50), authority.Wrong)
	clock.advance(90 * time.Second)
	s.result(s.web1, "carol", s.code(), authority.Accepted)
	s.result(s.web1, "carol", pressed(53), authority.Wrong)
	s.result(s.web1, "carol", pressed(54), authority.Accepted)
	s.result(s.web1, "carol", pressed(55), authority.Accepted)
	s.result(s.web1, "carol", recoveryCode, authority.Replayed)
}

// renewed waits until all services have renewed their numbers.
func (s *site) renewed() {
	s.Helper()
	began := s.Clock()
	s.until("renewals", func() bool {
		status, err := s.Admin.Status(testfleet.Context(s))
		testroot.Must(s, err)
		old := func(one admin.Service) bool { return !one.At.After(began) }
		return len(status.Services) == len(s.Services) &&
			!slices.ContainsFunc(status.Services, old)
	})
}

// A database that ends before the services' numbers were renewed is noticed by its revision.
func TestBackupOfTheSameSecondIsNoticedByServicesThatSawMore(t *testing.T) {
	s := newSite(t, 1)
	backup := filepath.Join(t.TempDir(), "backup")
	s.renewed()
	testroot.Must(t, s.Etcd.Snapshot(backup))
	app := s.code()
	s.result(s.web1, "alice", app, authority.Accepted)
	testroot.Must(t, s.Etcd.Restore(backup))
	s.eventually(s.web1, "alice", app, wire.Rollback)
}

// A service that was down from the backup to the restore finds all as it left it. The others tell
// it.
func TestServiceThatWasDownSinceTheBackupIsToldOfTheRestore(t *testing.T) {
	s := newSite(t, 2)
	app := s.code()
	s.Services[1].Stop()
	backup := filepath.Join(t.TempDir(), "backup")
	testroot.Must(t, s.Etcd.Snapshot(backup))
	s.result(s.web1, "alice", app, authority.Accepted)
	testroot.Must(t, s.Etcd.Restore(backup))
	s.eventually(s.web1, "alice", app, wire.Rollback)
	s.Services[1] = s.restarted(1)
	says := func(number int, want wire.Fault) {
		t.Helper()
		s.until(s.Services[number].Name+" to say "+string(want), func() bool {
			q := wire.Question{Op: "codes", User: "alice"}
			return s.again(s.web1, number, s.web1.Seal(t, q, nil)).Fault == want
		})
	}
	says(1, wire.Rollback)
	if a := s.again(s.web1, 1, s.seal(s.web1, "alice", app)); a.Fault != wire.Rollback {
		t.Errorf("a code that was used since the backup: got %q %s, want rollback", a.Fault, a.Body)
	}
	_, err := s.Admin.AcceptRestore(testfleet.Context(t), 0)
	testroot.Must(t, err)
	says(0, wire.Done)
	says(1, wire.Done)
	s.result(s.web1, "alice", app, authority.Replayed)
}

// A service that is started only after other writes have made up for the lost revisions still has
// its number.
func TestRestoredDatabaseThatHasGrownIsNoticedByTheNumber(t *testing.T) {
	s := newSite(t, 1)
	backup := filepath.Join(t.TempDir(), "backup")
	testroot.Must(t, s.Etcd.Snapshot(backup))
	s.renewed()
	s.Services[0].Stop()
	testroot.Must(t, s.Etcd.Restore(backup))
	for n := range 50 {
		testroot.Must(t, s.Admin.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
			return txn.Store("n", n)
		}))
	}
	s.Services[0] = s.restarted(0)
	s.eventually(s.web1, "alice", s.code(), wire.Rollback)
}

// restarted is a service that was ended and started again.
func (s *site) restarted(number int) *service.Service {
	s.Helper()
	old := s.Services[number]
	old.Stop()
	return s.Restart(s, old.Name, old.Dir)
}

func (s *site) seal(h *testfleet.Host, user, code string) *wire.Sealed {
	q, body := testfleet.Guess(user, code)
	return h.Seal(s, q, body)
}

func TestNewSigningKeyIsUsedOnceTheRotationIsFinished(t *testing.T) {
	s := newSite(t, 2)
	ctx := testfleet.Context(t)
	old := s.Keys(t)
	testroot.Must(t, s.Admin.Rotate(ctx))
	both, err := s.Admin.Keys(ctx)
	if err != nil || len(both) != 2 || !both[0].Equal(old[0]) {
		t.Fatalf("got %v, %v; want the old key and a new one", both, err)
	}
	s.renewed()
	s.result(s.web1, "alice", s.wrong(1)[0], authority.Wrong) // with the old key only
	testroot.Must(t, s.Admin.Finish(ctx))
	s.renewed()
	sealed := s.seal(s.web1, "alice", s.code())
	if a, err := s.web1.Ask(t, s.Services[0].Addr(), sealed); err == nil {
		t.Errorf("a host with the old key only: got %+v", a)
	}
	s.Know(both[1])
	for i := range s.Services {
		got := testfleet.Guessed(t, s.again(s.web1, i, sealed))
		if got.Result != authority.Accepted {
			t.Errorf("a host with the new key: got %+v", got)
		}
	}
	s.Services[0] = s.restarted(0)
	testfleet.Answers(t, s.Services[0])
	s.result(s.web1, "alice", s.code(), authority.Replayed)
}

func TestRemovedServiceRegistersAgainOnlyIfItForgets(t *testing.T) {
	clock := &hands{}
	s := newSite(t, 1, func(f *testfleet.Fleet) { f.Clock = clock.on(f.Clock) })
	if err := s.Admin.RemoveService(testfleet.Context(t), "mfa1"); err == nil {
		t.Error("a service that is running was removed")
	}
	s.Services[0].Stop()
	clock.advance(10 * time.Second)
	testroot.Must(t, s.Admin.RemoveService(testfleet.Context(t), "mfa1"))
	s.Services[0] = s.restarted(0)
	s.eventually(s.web1, "alice", s.code(), wire.Rollback)
	s.Services[0].Stop()
	testroot.Must(t, node.Forget(s.Services[0].Dir))
	s.Services[0] = s.restarted(0)
	testfleet.Answers(t, s.Services[0])
	s.result(s.web1, "alice", s.code(), authority.Accepted)
}
