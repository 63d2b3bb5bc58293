package state_test

import (
	"bufio"
	"errors"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

func TestStoppedProcessThatHoldsTheLockStopsNoOneForLong(t *testing.T) {
	s, file := stored(t)
	testroot.Unchanged(t, file)
	cmd := testroot.Role(nil, "hold", s.Path, "alice")
	input, err := cmd.StdinPipe()
	testroot.Must(t, err)
	defer input.Close()
	output, err := cmd.StdoutPipe()
	testroot.Must(t, err)
	testroot.Must(t, cmd.Start())
	if _, err := bufio.NewReader(output).ReadString('\n'); err != nil {
		t.Fatal("it did not get the lock")
	}
	testroot.Must(t, cmd.Process.Signal(syscall.SIGSTOP))
	s.Patience.Limit = 20 * time.Millisecond
	if _, err := s.Open("alice"); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("opened: %v", err)
	}
	if _, err := s.View("alice"); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("viewed: %v", err)
	}
	testroot.Must(t, cmd.Process.Kill())
	cmd.Wait()
	f, err := s.Open("alice")
	if err != nil {
		t.Fatalf("after its end: %v", err)
	}
	f.Close()
}

// waiting runs Open in another goroutine and returns once that waits for the lock.
func waiting(t *testing.T, open func(gone func() bool)) (done *sync.WaitGroup) {
	t.Helper()
	waits, once := make(chan struct{}), sync.Once{}
	done = new(sync.WaitGroup)
	done.Go(func() {
		open(func() bool {
			once.Do(func() { close(waits) })
			return false
		})
	})
	<-waits
	return done
}

func TestWaiterGetsTheNewFileAfterItWasReplaced(t *testing.T) {
	s, _ := stored(t)
	f, err := s.Open("alice")
	testroot.Must(t, err)
	done := waiting(t, func(gone func() bool) {
		s := s
		s.Patience = safefile.Patience{Limit: time.Minute, Gone: gone}
		late, err := s.Open("alice")
		if err != nil {
			t.Error(err)
			return
		}
		defer late.Close()
		if late.Devices[0].Counter != 99 {
			t.Errorf("the counter is %d", late.Devices[0].Counter)
		}
		s.Patience = safefile.Patience{}
		if _, err := s.Open("alice"); !errors.Is(err, safefile.ErrBusy) {
			t.Errorf("the new file is not locked: %v", err)
		}
	})
	again := sample()
	again.Devices[0].Counter = 99
	testroot.Must(t, s.Create("alice", again))
	f.Close()
	done.Wait()
}

func TestWaiterFindsNoFileAfterItWasRemoved(t *testing.T) {
	s, _ := stored(t)
	f, err := s.Open("alice")
	testroot.Must(t, err)
	done := waiting(t, func(gone func() bool) {
		s := s
		s.Patience = safefile.Patience{Limit: time.Minute, Gone: gone}
		if _, err := s.Open("alice"); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("error is %v", err)
		}
	})
	testroot.Must(t, s.Remove("alice"))
	f.Close()
	done.Wait()
}

func TestCommitsFromManySidesAreAllCounted(t *testing.T) {
	s, _ := stored(t)
	s.Patience.Limit = time.Minute
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			f, err := s.Open("alice")
			if err != nil {
				t.Error(err)
				return
			}
			defer f.Close()
			f.Devices[0].Counter++
			if err := f.Commit(); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if n := counter(t, s); n != 25 {
		t.Errorf("%d commits were counted", n-5)
	}
}
