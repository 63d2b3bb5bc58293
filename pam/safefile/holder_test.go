package safefile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

// hold is a role: it locks a file or directory, says so, and then works or waits until its input
// ends.
func hold(args []string) error {
	f, err := os.Open(args[0])
	if err != nil {
		return err
	}
	how := unix.LOCK_EX
	if args[1] == "shared" {
		how = unix.LOCK_SH
	}
	if err := unix.Flock(int(f.Fd()), how); err != nil {
		return err
	}
	fmt.Println("held")
	if args[1] == "working" {
		runtime.GOMAXPROCS(4) // for a share of a busy machine's time that is seen as work
		for range 3 {
			go func() {
				for n := 0; ; n++ {
					_ = n
				}
			}()
		}
	}
	io.Copy(io.Discard, os.Stdin)
	return nil
}

// holding starts a process that holds a lock.
func holding(t *testing.T, cmd *exec.Cmd) *exec.Cmd {
	t.Helper()
	in, err := cmd.StdinPipe()
	testroot.Must(t, err)
	out, err := cmd.StdoutPipe()
	testroot.Must(t, err)
	testroot.Must(t, cmd.Start())
	t.Cleanup(func() {
		in.Close()
		cmd.Process.Kill()
		cmd.Wait()
	})
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "held\n" {
		t.Fatalf("the holder said %q, %v", line, err)
	}
	return cmd
}

func ours(path, how string) *exec.Cmd { return testroot.Role(nil, "hold", path, how) }

// stranger is a program that is not one of latchkey's.
func stranger(path string) *exec.Cmd {
	return exec.Command("flock", path, "sh", "-c", "echo held; exec cat")
}

func stop(t *testing.T, pid int)   { testroot.Must(t, unix.Kill(pid, unix.SIGSTOP)) }
func freeze(t *testing.T, pid int) { testroot.Freeze(t, pid) }

// wait waits for the lock of a file or of its directory and notes which holders were ended.
func wait(t *testing.T, path string, limit time.Duration) (ended []int, err error) {
	t.Helper()
	p := safefile.Patience{
		Limit: limit,
		Ended: func(h safefile.Holder) { ended = append(ended, h.PID) },
	}
	dir := path
	if info, err := os.Stat(path); err == nil && !info.IsDir() {
		dir = filepath.Dir(path)
	}
	d, err := safefile.OpenDir(dir)
	testroot.Must(t, err)
	defer d.Close()
	if dir == path {
		return ended, p.LockDir(d)
	}
	err = p.Lock(opened(t, dir))
	return ended, err
}

// FAULTS 24, 36
func TestRootWaiterEndsAHolderThatMakesNoProgress(t *testing.T) {
	testroot.NeedRoot(t, "only root ends others")
	for how, halt := range map[string]func(*testing.T, int){"stopped": stop, "frozen": freeze} {
		for _, kind := range []string{"alone", "shared", "directory"} {
			t.Run(how+", "+kind, func(t *testing.T) {
				t.Parallel()
				path, file := place(t)
				if kind != "directory" {
					path = file
				}
				pid := holding(t, ours(path, kind)).Process.Pid
				halt(t, pid)
				ended, err := wait(t, path, time.Minute)
				if err != nil || len(ended) != 1 || ended[0] != pid {
					t.Errorf("got %v, ended %d; want the lock, and %d ended", err, ended, pid)
				}
			})
		}
	}
}

func TestHolderOfAnotherProgramIsNamedAndNotEnded(t *testing.T) {
	testroot.NeedRoot(t, "only root ends others")
	_, file := place(t)
	pid := holding(t, stranger(file)).Process.Pid
	stop(t, pid)
	ended, err := wait(t, file, 3*time.Second)
	if !errors.Is(err, safefile.ErrBusy) || len(ended) > 0 ||
		!strings.Contains(fmt.Sprint(err), fmt.Sprintf("process %d (", pid)) {
		t.Errorf("got %v, ended %d; want process %d named and none ended", err, ended, pid)
	}
	testroot.Must(t, unix.Kill(pid, 0))
}

func TestHolderAtWorkKeepsADirectoryLock(t *testing.T) {
	testroot.NeedRoot(t, "only root ends others")
	dir, _ := place(t)
	pid := holding(t, ours(dir, "working")).Process.Pid
	ended, err := wait(t, dir, 6*time.Second)
	if !errors.Is(err, safefile.ErrBusy) || len(ended) > 0 {
		t.Errorf("got %v, ended %d; want it busy and none ended", err, ended)
	}
	testroot.Must(t, unix.Kill(pid, 0))
}

func TestHolderIsNotEndedUnlessTheWaiterAsksForIt(t *testing.T) {
	_, file := place(t)
	pid := holding(t, ours(file, "alone")).Process.Pid
	stop(t, pid)
	err := safefile.Patience{Limit: 3 * time.Second}.Lock(opened(t, filepath.Dir(file)))
	if !errors.Is(err, safefile.ErrBusy) {
		t.Errorf("got %v, want it busy", err)
	}
	testroot.Must(t, unix.Kill(pid, 0))
}

func TestTheHoldersBelowADirectoryAreListed(t *testing.T) {
	dir, file := place(t)
	one, two := holding(t, ours(file, "alone")).Process.Pid,
		holding(t, ours(dir, "alone")).Process.Pid
	// The kernel does not show all locks at one instant: one may be missed while others come and
	// go.
	got := map[int]string{}
	for tries := 0; len(got) < 2 && tries < 100; tries++ {
		for _, h := range safefile.HoldersBelow(dir) {
			got[h.PID] = h.File
		}
	}
	if len(got) != 2 || got[one] != file || got[two] != dir {
		t.Errorf("got %v, want %d with %s and %d with %s", got, one, file, two, dir)
	}
}
