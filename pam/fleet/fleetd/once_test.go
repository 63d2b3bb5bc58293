package main

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/pam/fleet/admin"
	fleetsettings "latchkey/pam/fleet/fleetd/settings"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/testroot"
)

// Without its secret, no one could ever use the fleet.
func TestInitKeepsTheSecretOfAFleetThatAnotherInitHasMade(t *testing.T) {
	m := newMachine(t, oneNode(t), "mfa1")
	p := &program{root: string(m.root), in: strings.NewReader(""), out: t.Output(), err: t.Output()}
	key, made, err := p.firstSecret(options{})
	testroot.Must(t, err)
	if _, errs, code := m.run("init"); code != 0 { // it is faster
		t.Fatalf("got %d, %s", code, errs)
	}
	s, err := fleetsettings.Load(p.root)
	testroot.Must(t, err)
	f, err := p.reach(s, key)
	testroot.Must(t, err)
	defer f.store.Close()
	if err := p.settled(f.Init(t.Context(), "", nil), made); !errors.Is(err, admin.ErrFleet) {
		t.Errorf("got %v, want %v", err, admin.ErrFleet)
	}
	m.must("host", "list")
}

// The first of them was killed after it had removed the service from etcd.
func TestRemovingThisServiceAgainForgetsWhatItRemembers(t *testing.T) {
	m := newMachine(t, oneNode(t), "mfa1")
	m.must("init")
	m.write(stateDir+"/node", []byte(`{"epoch":1,"registered":true,"last":"x","next":"x"}`), 0o600)
	m.must("remove", "mfa1")
	if _, err := os.Stat(m.path(stateDir + "/node")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v; want nothing left, so that it registers again", err)
	}
	if _, errs, code := m.run("remove", "mfa2"); code != 1 {
		t.Errorf("another service that does not exist: got %d, %s", code, errs)
	}
}

// Of two administrators who finish a rotation at once, the slower one must not finish the next one:
// no host has its key yet.
func TestFinishingARotationAtOnceDoesNotFinishTheNextOne(t *testing.T) {
	f := testfleet.New(t, "")
	config, late := f.StoreConfig(t), f.Admin
	faster := sync.OnceFunc(func() {
		testroot.Must(t, errors.Join(f.Admin.Finish(t.Context()), f.Admin.Rotate(t.Context())))
	})
	config.Clock = func() time.Time {
		faster()
		return time.Now()
	}
	st, err := store.Open(config)
	testroot.Must(t, err)
	defer st.Close()
	testroot.Must(t, f.Admin.Rotate(t.Context()))
	begun, err := f.Admin.Keys(t.Context())
	testroot.Must(t, err)
	late.Store = st
	testroot.Must(t, late.Finish(t.Context()))
	if got, err := f.Admin.Keys(t.Context()); err != nil || len(got) != 2 ||
		got[0].String() != begun[1].String() {
		t.Errorf("got %v, %v; want the second of %v, and a next one", got, err, begun)
	}
}
