package owner_test

import (
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"latchkey/pam/owner"
)

func everyone(string) bool { return true }

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func index(t *testing.T) *owner.Index { return &owner.Index{Path: t.TempDir() + "/uids"} }

func names(t *testing.T, x *owner.Index, uid uint32) []string {
	t.Helper()
	got, err := x.Names(uid)
	must(t, err)
	return got
}

func TestNamesOfOneUidAreKeptUntilTheyHaveItNoLonger(t *testing.T) {
	x := index(t)
	must(t, x.Add(1000, "alice", everyone))
	must(t, x.Add(1000, `CORP\alice smith`, everyone))
	must(t, x.Add(1000, "alice", everyone))
	must(t, x.Add(1001, "bob", everyone))
	if got, want := names(t, x, 1000),
		[]string{"alice", `CORP\alice smith`}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	must(t, x.Add(1000, "alicia", func(name string) bool { return name != "alice" }))
	if got, want := names(t, x, 1000),
		[]string{`CORP\alice smith`, "alicia"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := names(t, x, 1002); len(got) != 0 {
		t.Errorf("got %q, want none", got)
	}
}

func TestAddFirstTakesOnlyAUidThatACompleteIndexDoesNotKnow(t *testing.T) {
	x := index(t)
	must(t, x.Add(1000, "alice", everyone))
	if x.AddFirst(1001, "bob") == nil {
		t.Error("got bob first, of an index that may be incomplete")
	}
	done, err := x.Hold(owner.Hold{Complete: true, Many: true})
	must(t, err)
	if x.AddFirst(1000, "bob") == nil {
		t.Error("got bob first with alice's uid")
	}
	must(t, x.AddFirst(1001, "bob"))
	must(t, done())
	for uid, want := range map[uint32]string{1000: "alice", 1001: "bob"} {
		if got := names(t, x, uid); !slices.Equal(got, []string{want}) {
			t.Errorf("got %q for %d, want %q", got, uid, want)
		}
	}
}

func TestOfFiftyNamesAddedInParallelNoneIsLost(t *testing.T) {
	x := index(t)
	var all sync.WaitGroup
	for i := range 50 {
		all.Go(func() {
			if err := x.Add(1000, string(rune('A'+i)), everyone); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := names(t, x, 1000); len(got) != 50 {
		t.Errorf("got %d names, want 50: %q", len(got), got)
	}
}

// A killed Add leaves a temporary file. Looking for one takes reading the whole index, so that is
// only done where something was added since the last Mark.
func TestSweepTakesAwayWhatAKilledAddLeft(t *testing.T) {
	x := index(t)
	must(t, x.Add(1000, "alice", everyone))
	must(t, x.Mark("a"))
	for range 2 { // the second time, right after Mark
		left := x.Path + "/.new-0123abcd"
		must(t, os.WriteFile(left, nil, 0o600))
		must(t, x.Sweep())
		if _, err := os.Lstat(left); err == nil {
			t.Error("got a temporary file after Sweep")
		}
		must(t, x.Mark("b"))
	}
}

func TestSweepDoesNotReadAnIndexToWhichNothingWasAdded(t *testing.T) {
	x := index(t)
	must(t, x.Add(1000, "alice", everyone))
	must(t, x.Mark("a"))
	before, err := os.Stat(x.Path)
	must(t, err)
	left := x.Path + "/.new-0123abcd"
	must(t, os.WriteFile(left, nil, 0o600))
	must(t, os.Chtimes(x.Path, time.Time{}, before.ModTime())) // as if it were not there
	must(t, x.Sweep())
	if _, err := os.Lstat(left); err != nil {
		t.Error("got an index that was read, want it left alone")
	}
}

func TestIndexIsCompleteOnlyForTheStampItWasMarkedWith(t *testing.T) {
	x := index(t)
	complete := func(stamp string, want bool) {
		t.Helper()
		if got := x.Complete(stamp); got != want {
			t.Errorf("complete for %q: got %v, want %v", stamp, got, want)
		}
	}
	complete("a", false)
	must(t, x.Mark("a"))
	complete("a", true)
	complete("b", false)
	complete("", false)
	done, err := x.Hold(owner.Hold{Complete: true})
	must(t, err)
	complete("b", true)
	must(t, done())
	complete("b", false)
	must(t, os.Chmod(x.Path, 0o777)) // anyone could have written it
	complete("a", false)
	if _, err := x.Names(1000); err == nil {
		t.Error("names from a directory that anyone can write: got no error")
	}
}

func TestManyNamesAreThereOnceTheyAreHeldNoLonger(t *testing.T) {
	x := index(t)
	must(t, x.Add(1000, "alice", everyone))
	done, err := x.Hold(owner.Hold{Many: true})
	must(t, err)
	if x.Complete("a") {
		t.Error("got an index that is complete while many names are added")
	}
	for uid := range uint32(100) {
		must(t, x.Add(1000+uid, "bob", everyone))
	}
	must(t, done())
	for uid := range uint32(100) {
		if got := names(t, x, 1000+uid); !slices.Contains(got, "bob") ||
			uid == 0 && !slices.Contains(got, "alice") {
			t.Errorf("uid %d: got %q", 1000+uid, got)
		}
	}
}
