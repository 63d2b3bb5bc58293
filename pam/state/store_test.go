package state_test

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// stored is a store with alice's state in it.
func stored(t *testing.T) (s state.Store, file string) {
	t.Helper()
	root := testroot.New(t)
	s = state.Store{Path: root.Join("var/lib/latchkey/users")}
	testroot.Must(t, s.Create("alice", sample()))
	return s, root.State("alice")
}

func sample() state.State {
	return state.State{UID: 1000, Enrollment: state.EnrollmentID{1},
		Devices: []state.Device{{ID: state.DeviceID{2}, Counter: 5}}}
}

func counter(t *testing.T, s state.Store) uint64 {
	t.Helper()
	st, err := s.View("alice")
	testroot.Must(t, err)
	return st.Devices[0].Counter
}

func TestWhatWasCommittedIsOpenedAgain(t *testing.T) {
	s, file := stored(t)
	for n := uint64(6); n < 12; n++ {
		f, err := s.Open("alice")
		testroot.Must(t, err)
		f.Devices[0].Counter = n
		f.Locked = time.Unix(int64(n), 0)
		testroot.Must(t, f.Commit())
		want := f.State
		f.Close()
		got, err := s.View("alice")
		testroot.Must(t, err)
		if !reflect.DeepEqual(*got, want) {
			t.Fatalf("%+v, not %+v", *got, want)
		}
	}
	st, err := os.Stat(file)
	testroot.Must(t, err)
	if st.Size() != 8192 || st.Mode() != 0o600 {
		t.Errorf("%d bytes, %v", st.Size(), st.Mode())
	}
}

func TestNewStateIsAllocatedInFull(t *testing.T) {
	_, file := stored(t)
	var st unix.Stat_t
	testroot.Must(t, unix.Stat(file, &st))
	if st.Blocks*512 < 8192 {
		t.Errorf("only %d bytes are allocated", st.Blocks*512)
	}
}

func TestFileThatIsNotAStateIsRefusedAndKept(t *testing.T) {
	cases := []struct {
		name   string
		change func(b []byte) []byte
		want   error
	}{
		{"empty", func(b []byte) []byte { return nil }, state.ErrDamaged},
		{"one byte short", func(b []byte) []byte { return b[:8191] }, state.ErrDamaged},
		{"one byte longer", func(b []byte) []byte { return append(b, 0) }, state.ErrDamaged},
		{"one slot only", func(b []byte) []byte { return b[:4096] }, state.ErrDamaged},
		{"all zero", func(b []byte) []byte { return make([]byte, 8192) }, state.ErrDamaged},
		{"one bit flipped in each slot",
			func(b []byte) []byte { b[100] ^= 1; b[5000] ^= 1; return b }, state.ErrDamaged},
		{"a megabyte", func(b []byte) []byte { return make([]byte, 1<<20) }, state.ErrDamaged},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			s, file := stored(t)
			testroot.Write(t, file, c.change(testroot.Read(t, file)))
			testroot.Unchanged(t, file)
			if _, err := s.Open("alice"); !errors.Is(err, c.want) ||
				!strings.Contains(err.Error(), file) {
				t.Errorf("opened: %v", err)
			}
			if _, err := s.View("alice"); !errors.Is(err, c.want) {
				t.Errorf("viewed: %v", err)
			}
		})
	}
}

func TestDamagedSlotIsToldAndMendedByTheNextCommitOnly(t *testing.T) {
	for _, at := range []int{100, 5000} {
		s, file := stored(t)
		broken := testroot.Read(t, file)
		broken[at] ^= 1
		testroot.Write(t, file, broken)
		f, err := s.Open("alice")
		testroot.Must(t, err)
		if !strings.Contains(f.Damage, "damaged") || f.Devices[0].Counter != 5 {
			t.Errorf("byte %d: %q, %+v", at, f.Damage, f.State)
		}
		if string(testroot.Read(t, file)) != string(broken) {
			t.Errorf("byte %d: opening changed the file", at)
		}
		testroot.Must(t, f.Commit())
		f.Close()
		f, err = s.Open("alice")
		testroot.Must(t, err)
		if f.Damage != "" || f.Devices[0].Counter != 5 {
			t.Errorf("byte %d, after a commit: %q, %+v", at, f.Damage, f.State)
		}
		f.Close()
	}
}

func TestMissingStateIsReportedAsMissing(t *testing.T) {
	s, _ := stored(t)
	if _, err := s.Open("bob"); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
	s.Path += "/missing"
	if _, err := s.Open("alice"); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestRemoveLeavesNothingAndSaysIfThereWasNothing(t *testing.T) {
	s, file := stored(t)
	testroot.Must(t, s.Remove("alice"))
	if err := s.Remove("alice"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("removed again: %v", err)
	}
	if _, err := os.Lstat(file); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}

func TestOnlyOneEnrollRunsAtATimeAndNoLoginWaitsForIt(t *testing.T) {
	s, _ := stored(t)
	err := s.Exclusive(func() error {
		if err := s.Exclusive(func() error { return nil }); !errors.Is(err, safefile.ErrBusy) {
			t.Errorf("a second one: %v", err)
		}
		f, err := s.Open("alice")
		if err == nil {
			f.Close()
		}
		return err
	})
	testroot.Must(t, err)
}

func TestSweepTakesOnlyTemporaryFilesAway(t *testing.T) {
	s, file := stored(t)
	testroot.Write(t, s.Path+"/.new-0123abcd", nil)
	testroot.Must(t, s.Sweep())
	names, err := os.ReadDir(s.Path)
	if err != nil || len(names) != 1 || s.Path+"/"+names[0].Name() != file {
		t.Errorf("got %v, %v; want the state alone", names, err)
	}
}
