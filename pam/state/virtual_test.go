package state_test

import (
	"bytes"
	"errors"
	"net/netip"
	"testing"
	"time"

	"latchkey/pam/state"
)

// busy is a state with something in every part that a fleet uses.
func busy() state.State {
	at := time.Unix(1_800_000_000, 0).UTC()
	return state.State{
		UID: 1000, Enrollment: state.EnrollmentID{1}, Locked: at, Failures: []time.Time{at},
		Devices:  []state.Device{{ID: state.DeviceID{7}, Counter: 57, Used: at}},
		Recovery: state.Recovery{Set: state.SetID{9}, Used: 5},
	}
}

func TestAnEncodedStateIsReadBack(t *testing.T) {
	for _, st := range []state.State{{}, busy()} {
		b, err := state.Encode(st)
		if err != nil {
			t.Fatal(err)
		}
		got, err := state.Decode(b)
		if err != nil {
			t.Fatal(err)
		}
		again, err := state.Encode(*got)
		if err != nil || !bytes.Equal(again, b) || got.UID != st.UID ||
			len(got.Devices) != len(st.Devices) || got.Recovery != st.Recovery {
			t.Errorf("got %+v, %v; want %+v", got, err, st)
		}
	}
}

func TestADamagedValueIsNoState(t *testing.T) {
	b, err := state.Encode(busy())
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		bad := append([]byte(nil), b...)
		bad[i] ^= 0x10
		if got, err := state.Decode(bad); !errors.Is(err, state.ErrDamaged) {
			t.Fatalf("byte %d changed: got %+v, %v; want ErrDamaged", i, got, err)
		}
	}
	for n := range b {
		if got, err := state.Decode(b[:n]); !errors.Is(err, state.ErrDamaged) {
			t.Fatalf("cut to %d bytes: got %+v, %v; want ErrDamaged", n, got, err)
		}
	}
	if got, err := state.Decode(append(b, make([]byte, 4096)...)); err == nil {
		t.Errorf("too long: got %+v; want an error", got)
	}
}

func TestAVirtualFileStagesWhatIsCommitted(t *testing.T) {
	var staged []state.State
	fail := errors.New("no room")
	var err error
	f := state.Virtual(busy(), func(st state.State) error {
		staged = append(staged, st)
		return err
	})
	f.Devices[0].Counter = 58
	for _, commit := range []func() error{f.Commit, f.CommitOrUndo} {
		if got := commit(); got != nil {
			t.Errorf("got %v; want no error", got)
		}
	}
	if len(staged) != 2 || staged[0].Devices[0].Counter != 58 {
		t.Errorf("got %+v; want the changed state, twice", staged)
	}
	err = fail
	for _, commit := range []func() error{f.Commit, f.CommitOrUndo} {
		if got := commit(); !errors.Is(got, state.ErrSave) {
			t.Errorf("got %v; want ErrSave", got)
		}
	}
	if got := f.Close(); got != nil {
		t.Errorf("Close: got %v; want no error", got)
	}
	lock := state.VirtualLock(busy(), nil)
	if st, err := lock.Read(); err != nil || st.UID != 1000 || lock.Close() != nil {
		t.Errorf("the lock: got %+v, %v; want the state", st, err)
	}
}

func TestAVirtualLockOfADamagedStateReadsNone(t *testing.T) {
	if st, err := state.VirtualLock(busy(), state.ErrDamaged).Read(); !errors.Is(err,
		state.ErrDamaged) || st != nil {
		t.Errorf("got %+v, %v; want ErrDamaged", st, err)
	}
}

func TestAnEncodedStateIsSmallWhereverItsFieldsAre(t *testing.T) {
	st := busy()
	st.Accepted = state.Attempt{At: time.Unix(1_800_000_000, 0), Service: "sshd"}
	st.Networks = []state.Network{{Prefix: netip.MustParsePrefix("192.0.2.0/24"),
		Seen: time.Unix(1_800_000_000, 0)}}
	b, err := state.Encode(st)
	if err != nil || len(b) > 300 {
		t.Errorf("got %d bytes, %v; want at most 300", len(b), err)
	}
}

func FuzzDecode(f *testing.F) {
	b, err := state.Encode(busy())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte{0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		st, err := state.Decode(b)
		if err != nil {
			return
		}
		if again, err := state.Encode(*st); err != nil || len(again) > 2*4096 {
			t.Errorf("got %d bytes, %v of what was decoded", len(again), err)
		}
	})
}
