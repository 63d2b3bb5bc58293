package safefile

import (
	"errors"
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// One call serves all who asked before it began, and no one who asked later: what they wrote may
// not be on the disk yet.
func TestACallServesAllWhoAskedBeforeItBegan(t *testing.T) {
	var (
		r           rounds
		asked, seen atomic.Int64 // how many had asked when the last call began
		calls       atomic.Int64
		all         sync.WaitGroup
	)
	for range 200 {
		all.Go(func() {
			mine := asked.Add(1)
			r.do(func() error {
				calls.Add(1)
				seen.Store(asked.Load())
				return nil
			})
			if seen.Load() < mine {
				t.Errorf("number %d was served by a call that began after %d", mine, seen.Load())
			}
		})
	}
	all.Wait()
	if calls.Load() < 1 {
		t.Errorf("got %d calls", calls.Load())
	}
}

func TestAllWhoAreServedByACallGetItsError(t *testing.T) {
	var r rounds
	failed := errors.New("a disk that fails")
	var all sync.WaitGroup
	for range 50 {
		all.Go(func() {
			if err := r.do(func() error { return failed }); err != failed {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
}

func settledIn(t *testing.T) (d *Dir, path string, settled func() bool) {
	t.Helper()
	path = t.TempDir()
	d, err := OpenDir(path)
	if err == nil {
		err = d.Replace("marker", []byte("x"))
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d, path, func() bool {
		is, err := d.Settled("marker")
		if err != nil {
			t.Fatal(err)
		}
		return is
	}
}

func TestADirectoryIsSettledUntilSomethingIsAddedRemovedOrReplaced(t *testing.T) {
	d, path, settled := settledIn(t)
	if settled() {
		t.Error("got that it is settled before Settle")
	}
	for name, change := range map[string]func() error{
		"added":    func() error { return os.WriteFile(path+"/new", nil, 0o600) },
		"removed":  func() error { return os.Remove(path + "/old") },
		"replaced": func() error { return d.Replace("marker", []byte("y")) },
	} {
		if err := os.WriteFile(path+"/old", nil, 0o600); err != nil {
			t.Fatal(err)
		}
		d.Settle("marker")
		if !settled() {
			t.Errorf("before something is %s: got that it is not settled", name)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		if settled() {
			t.Errorf("after something was %s: got that it is settled", name)
		}
	}
	if err := os.Remove(path + "/marker"); err != nil {
		t.Fatal(err)
	}
	if settled() {
		t.Error("without the file: got that it is settled")
	}
}

// A crash may leave the directory with the time of something that came before.
func TestADirectoryWithAnotherTimeIsNotSettled(t *testing.T) {
	d, path, settled := settledIn(t)
	d.Settle("marker")
	if err := os.Chtimes(path, time.Time{}, time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	if settled() {
		t.Error("got that it is settled")
	}
}
