package store_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) { testfleet.Main(m) }

// in runs f in one transaction.
func in(t *testing.T, s *store.Store, f func(*store.Txn) error) {
	t.Helper()
	testroot.Must(t, s.Run(testfleet.Context(t), nil, f))
}

func TestTransactionsThatCollideRunAgainAndLoseNothing(t *testing.T) {
	f := testfleet.Shared(t, "")
	var all sync.WaitGroup
	const each, many = 10, 8
	for range many {
		s := f.Store(t)
		all.Go(func() {
			for range each {
				var n int
				err := s.Run(testfleet.Context(t), []string{"n"}, func(txn *store.Txn) error {
					n = 0
					if _, err := txn.Load("n", &n); err != nil {
						return err
					}
					return txn.Store("n", n+1)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	var n int
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		_, err := txn.Load("n", &n)
		return err
	})
	if n != each*many {
		t.Errorf("got %d, want %d", n, each*many)
	}
}

// A service may be frozen while it reads. A time from before that would make an old question look
// new.
func TestTimeOfATransactionIsNotFromBeforeWhatItHasRead(t *testing.T) {
	f := testfleet.Shared(t, "")
	config, now, frozen := f.StoreConfig(t), testroot.Noon, true
	config.Clock = func() time.Time {
		before := now
		if frozen {
			frozen, now = false, now.Add(time.Minute)
			in(t, f.Admin.Store, func(other *store.Txn) error { return other.Put("read", []byte("x")) })
		}
		return before
	}
	s, err := store.Open(config)
	testroot.Must(t, err)
	defer s.Close()
	testroot.Must(t, s.Run(testfleet.Context(t), []string{"read"}, func(txn *store.Txn) error {
		read, err := txn.Get("read")
		if read != nil && txn.Now.Before(now) {
			t.Errorf("got the time %v with what was written until %v", txn.Now, now)
		}
		return errors.Join(err, txn.Put("written", read))
	}))
}

// What a transaction has only read must not have changed either.
func TestTransactionIsRefusedIfSomethingThatItOnlyReadWasChanged(t *testing.T) {
	f := testfleet.Shared(t, "")
	runs := 0
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		runs++
		read, err := txn.Get("read")
		if err != nil {
			return err
		}
		if runs == 1 {
			in(t, f.Store(t), func(other *store.Txn) error { return other.Put("read", []byte("x")) })
		}
		return txn.Put("written", read)
	})
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		got, err := txn.Get("written")
		if string(got) != "x" || runs != 2 {
			t.Errorf("got %q after %d runs; want x after 2", got, runs)
		}
		return err
	})
}

func TestErrorWritesNothing(t *testing.T) {
	f := testfleet.Shared(t, "")
	fail := errors.New("no")
	err := f.Admin.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
		testroot.Must(t, txn.Put("k", []byte("x")))
		return fail
	})
	if !errors.Is(err, fail) {
		t.Errorf("got %v", err)
	}
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		got, err := txn.Get("k")
		if got != nil {
			t.Errorf("got %q, want nothing", got)
		}
		return err
	})
}

func TestValueIsReadOnlyUnderItsKeyAndWithItsSecret(t *testing.T) {
	f := testfleet.Shared(t, "")
	in(t, f.Admin.Store, func(txn *store.Txn) error { return txn.Put("a", []byte("x")) })
	out, err := f.Etcd.Nodes[0].UserCtl(testfleet.Context(t), "get", "/latchkey/1/a", "--hex")
	if err != nil || len(out) < 40 {
		t.Errorf("got %q, %v; want what is stored", out, err)
	}
	f.Secret = secret.New()
	err = f.Store(t).Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
		_, err := txn.Get("a")
		return err
	})
	if !errors.Is(err, store.ErrSealed) {
		t.Errorf("with another secret: got %v, want ErrSealed", err)
	}
}

func TestKeyringHoldsWhatItsTransactionChanged(t *testing.T) {
	f := testfleet.Shared(t, "")
	app := testroot.TOTP("app")
	rec := &record.Record{Name: "alice", Devices: []record.Device{app}}
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		k := txn.Keyring()
		if _, err := k.Open(record.User{Name: "alice"}); !errors.Is(err, factor.ErrUnenrolled) {
			t.Errorf("before: got %v, want ErrUnenrolled", err)
		}
		if err := k.Records.Remove("alice"); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("removing nothing: got %v, want fs.ErrNotExist", err)
		}
		return errors.Join(
			k.States.Create("alice", state.State{Devices: []state.Device{{ID: app.ID}}}),
			k.Records.Save(rec), inside(t, k))
	})
	in(t, f.Admin.Store, func(txn *store.Txn) error { return inside(t, txn.Keyring()) })
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		k := txn.Keyring()
		return errors.Join(k.Records.Remove("alice"), k.States.Remove("alice"))
	})
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		names, err := txn.Keyring().Known()
		if len(names) != 0 {
			t.Errorf("got %v, want no one", names)
		}
		return err
	})
}

// inside looks at alice.
func inside(t *testing.T, k factor.Keyring) error {
	t.Helper()
	account, err := k.Open(record.User{Name: "alice"})
	if err != nil {
		return err
	}
	names, err := k.Names()
	if !slices.Equal(names, []string{"alice"}) || len(account.Record.Devices) != 1 {
		t.Errorf("got %v, %+v", names, account.Record)
	}
	return err
}

func TestManyUsersAreListedPageByPage(t *testing.T) {
	f := testfleet.Shared(t, "")
	for first := 0; first < 1200; first += 100 {
		in(t, f.Admin.Store, func(txn *store.Txn) error {
			for n := first; n < first+100; n++ {
				err := txn.Put(store.UserKey(fmt.Sprintf("u%04d", n), "state"), nil)
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		names, err := txn.Keyring().States.Names()
		if len(names) != 1200 || names[0] != "u0000" || names[1199] != "u1199" {
			t.Errorf("got %d names", len(names))
		}
		return err
	})
}

func TestQuestionThatIsNeverAnsweredEndsWithItsContext(t *testing.T) {
	f := testfleet.Shared(t, "")
	c := f.StoreConfig(t)
	c.Endpoints = []string{"https://127.0.0.1:1"}
	s, err := store.Open(c)
	testroot.Must(t, err)
	defer s.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	err = s.Run(ctx, []string{"k"}, func(*store.Txn) error { return nil })
	if wire.FaultOf(err) != wire.Unknown {
		t.Errorf("got %v, want unknown", err)
	}
}

// An operation that fails has still charged what it compared, as on a disk; unless it says that
// nothing is to be kept.
func TestWhatWasCommittedBeforeAnErrorStaysUnlessItIsUndone(t *testing.T) {
	f := testfleet.Shared(t, "")
	app := testroot.TOTP("app")
	for undone, want := range map[bool]int{false: 1, true: 0} {
		f.Enroll(t, "alice", app)
		r, err := f.Admin.Store.Update(testfleet.Context(t), store.Asker{Host: "h", User: "alice",
			Op: "op", Token: wire.NewToken()}, func(txn *store.Txn) (any, error) {
			st, err := txn.Keyring().States.Open("alice")
			testroot.Must(t, err)
			st.Failures = append(st.Failures, txn.Now)
			testroot.Must(t, st.Commit())
			err = wire.Errorf(wire.Role, "no")
			if undone {
				err2 := errors.Join(err, store.ErrUndone)
				return nil, err2
			}
			return nil, err
		})
		if got := len(f.State(t, "alice").Failures); err != nil || r.Fault != wire.Role ||
			got != want {
			t.Errorf("undone %v: got %+v, %v, %d failures; want %d", undone, r, err, got, want)
		}
	}
}

// An operation that could not read something must not make a decision of that.
func TestWhatAnOperationMakesOfAFailedReadDoesNotCount(t *testing.T) {
	f := testfleet.Shared(t, "")
	ctx, cancel := context.WithCancel(t.Context())
	r, err := f.Admin.Store.Update(ctx, store.Asker{Host: "h", Op: "op", Token: wire.NewToken()},
		func(txn *store.Txn) (any, error) {
			cancel()
			if _, err := txn.Get("read late"); err == nil {
				t.Error("got no error of a read that cannot work")
			}
			return "allowed", nil
		})
	if wire.FaultOf(err) != wire.Unknown || r.Body != nil {
		t.Errorf("got %+v, %v; want unknown", r, err)
	}
}

func TestOldValuesAreForgottenAndTheLatestStay(t *testing.T) {
	f := testfleet.Shared(t, "")
	for n := range 3 {
		in(t, f.Admin.Store, func(txn *store.Txn) error { return txn.Store("n", n) })
	}
	etcd := f.Admin.Store.Etcd()
	old := fmt.Sprint("--rev=", etcd.Revision()-1)
	node := f.Etcd.Nodes[0]
	if _, err := node.UserCtl(testfleet.Context(t), "get", "/latchkey/1/n", old); err != nil {
		t.Errorf("before: got %v", err)
	}
	for range 2 { // the second time there is nothing to forget
		testroot.Must(t, etcd.Compact(testfleet.Context(t), etcd.Revision()))
	}
	_, err := node.UserCtl(testfleet.Context(t), "get", "/latchkey/1/n", old)
	if err == nil || !strings.Contains(err.Error(), "compacted") {
		t.Errorf("afterwards: got %v, want that it was compacted", err)
	}
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		var n int
		_, err := txn.Load("n", &n)
		if n != 2 {
			t.Errorf("the latest: got %d, want 2", n)
		}
		return err
	})
}

// Names of one length, of many, and such that are the beginning of others.
func TestUsersOfManyPagesAreListedEachOnce(t *testing.T) {
	f := testfleet.Shared(t, "")
	var want []string
	for n := range 2200 {
		want = append(want, fmt.Sprint("u", n))
	}
	want = append(want, "a", "u", "u-", "uu", "z", "z0")
	for batch := range slices.Chunk(want, 100) {
		in(t, f.Admin.Store, func(txn *store.Txn) error {
			for _, name := range batch {
				if err := txn.Put("user/"+name+"/record", []byte("x")); err != nil {
					return err
				}
			}
			return nil
		})
	}
	in(t, f.Admin.Store, func(txn *store.Txn) error {
		got, err := txn.Keyring().Records.Names()
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("got %d names, want %d", len(got), len(want))
		}
		return err
	})
	var paged []string
	pages := 0
	for more := true; more; pages++ {
		in(t, f.Admin.Store, func(txn *store.Txn) (err error) {
			after := ""
			if len(paged) > 0 {
				after = paged[len(paged)-1]
			}
			var page []string
			page, more, err = txn.Users(after, 3000)
			paged = append(paged, page...)
			return err
		})
	}
	slices.Sort(paged)
	if !slices.Equal(paged, want) || pages < 3 {
		t.Errorf("got %d names on %d pages, want %d", len(paged), pages, len(want))
	}
}
