package store_test

import (
	"errors"
	"path/filepath"
	"strconv"
	"testing"

	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
)

// following is what a service does that writes, and knows when its database was set back.
func following(s *store.Store, value string) func(*store.Txn) error {
	return func(txn *store.Txn) error {
		txn.Follow("mfa1")
		if s.Etcd().SetBack() {
			return errSetBack
		}
		return txn.Put("used", []byte(value))
	}
}

var errSetBack = errors.New("set back")

// The revision alone does not show it: others have written as much since.
func TestRestoreThatLosesWhatAServiceWroteIsNoticedAfterTheRevisionHasGrown(t *testing.T) {
	f := testfleet.Shared(t, "")
	one, other := f.Store(t), f.Store(t)
	backup := filepath.Join(t.TempDir(), "backup")
	ctx := testfleet.Context(t)
	testroot.Must(t, one.Run(ctx, nil, following(one, "before")))
	testroot.Must(t, f.Etcd.Snapshot(backup))
	testroot.Must(t, one.Run(ctx, nil, following(one, "code")))
	testroot.Must(t, f.Etcd.Restore(backup))
	for n := range 5 {
		in(t, other, func(txn *store.Txn) error { return txn.Put("n", []byte(strconv.Itoa(n))) })
	}
	if err := one.Run(ctx, nil, following(one, "again")); !errors.Is(err, errSetBack) {
		t.Errorf("got %v, want %v", err, errSetBack)
	}
	in(t, other, func(txn *store.Txn) error {
		got, err := txn.Get("used")
		if string(got) != "before" {
			t.Errorf("got %q written, want what the backup has", got)
		}
		return err
	})
	one.Etcd().Begin() // an administrator has accepted it
	testroot.Must(t, one.Run(ctx, nil, following(one, "accepted")))
}

// No order of the service's own writes, or those of others, looks like a restore.
func TestWritesAtOnceAreNotTakenForARestore(t *testing.T) {
	f := testfleet.Shared(t, "")
	one, other := f.Store(t), f.Store(t)
	ctx := testfleet.Context(t)
	ended := make(chan error)
	for range 8 {
		go func() {
			for n := range 20 {
				s := []*store.Store{one, other}[n%2]
				if err := s.Run(ctx, nil, following(s, strconv.Itoa(n))); err != nil {
					ended <- err
					return
				}
			}
			ended <- nil
		}()
	}
	for range 8 {
		testroot.Must(t, <-ended)
	}
}
