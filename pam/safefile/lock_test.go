package safefile_test

import (
	"errors"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

func opened(t *testing.T, dir string) *os.File {
	t.Helper()
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	f, err := d.Open("file", unix.O_RDONLY, safefile.Private)
	testroot.Must(t, err)
	t.Cleanup(func() { f.Close() })
	return f
}

func TestLockHasOneHolderAtATime(t *testing.T) {
	dir, _ := place(t)
	one, two := opened(t, dir), opened(t, dir)
	testroot.Must(t, safefile.Patience{}.Lock(one))
	if err := (safefile.Patience{}).Lock(two); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("without patience: %v", err)
	}
	patience := safefile.Patience{Limit: 20 * time.Millisecond}
	if err := patience.LockShared(two); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("with a little: %v", err)
	}
	one.Close()
	if err := (safefile.Patience{}).Lock(two); err != nil {
		t.Errorf("after the other closed its file: %v", err)
	}
}

func TestReadersShareALock(t *testing.T) {
	dir, _ := place(t)
	testroot.Must(t, safefile.Patience{}.LockShared(opened(t, dir)))
	testroot.Must(t, safefile.Patience{}.LockShared(opened(t, dir)))
	if err := (safefile.Patience{}).Lock(opened(t, dir)); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("a writer among readers: %v", err)
	}
}

func TestWaitForALockEndsWhenThePeerIsGone(t *testing.T) {
	dir, _ := place(t)
	testroot.Must(t, safefile.Patience{}.Lock(opened(t, dir)))
	asked := 0
	gone := func() bool { asked++; return asked == 3 }
	err := (safefile.Patience{Limit: time.Hour, Gone: gone}).Lock(opened(t, dir))
	if !errors.Is(err, safefile.ErrGone) {
		t.Errorf("error is %v", err)
	}
}

func TestADirectoryCanBeLocked(t *testing.T) {
	dir, _ := place(t)
	one, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer one.Close()
	two, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer two.Close()
	testroot.Must(t, safefile.Patience{}.LockDir(one))
	if err := (safefile.Patience{}).LockDir(two); !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("error is %v", err)
	}
}

func TestAFileThatWasReplacedOrRemovedIsNoLongerLinked(t *testing.T) {
	dir, file := place(t)
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	f := opened(t, dir)
	if !d.Linked(f, "file") {
		t.Error("the file that is there is not linked")
	}
	testroot.Must(t, d.Replace("file", []byte("new")))
	if d.Linked(f, "file") {
		t.Error("a replaced file is linked")
	}
	again := opened(t, dir)
	testroot.Must(t, os.Remove(file))
	if d.Linked(again, "file") {
		t.Error("a removed file is linked")
	}
}
