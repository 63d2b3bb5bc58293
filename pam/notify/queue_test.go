package main_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	notify "latchkey/pam/notify"
	"latchkey/pam/notify/event"
	"latchkey/pam/testroot"
)

func link(path string) error {
	if err := os.Rename(path, path+".real"); err != nil {
		return err
	}
	return os.Symlink(path+".real", path)
}

func fifo(path string) error {
	if err := os.Remove(path); err != nil {
		return err
	}
	return unix.Mkfifo(path, 0o755)
}

// bound is how long these tests wait for what must happen.
const bound = time.Minute

// until waits until a condition holds.
func (h *host) until(what string, holds func() bool) {
	h.t.Helper()
	for end := time.Now().Add(bound); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			h.t.Fatalf("%s: it did not come to pass", what)
		}
	}
}

// started returns the process id that the program wrote down.
func (h *host) started() (pid string) {
	h.t.Helper()
	h.until("the program runs", func() bool {
		text, _ := os.ReadFile(h.root.Join("out/pids"))
		pid = strings.TrimSpace(string(text))
		return bytes.HasSuffix(text, []byte("\n"))
	})
	return pid
}

// ends waits until a process is gone, or is a zombie that its parent has not taken yet.
func (h *host) ends(pid string) {
	h.t.Helper()
	h.until("process "+pid+" ends", func() bool {
		text, err := os.ReadFile("/proc/" + pid + "/stat")
		return err != nil || bytes.Contains(text, []byte(") Z "))
	})
}

// take locks the first n files of a kind, as n others would.
func (h *host) take(kind string, n int) {
	h.t.Helper()
	dir := h.root.Join("var/lib/latchkey/notify")
	testroot.Must(h.t, os.MkdirAll(dir, 0o700))
	for i := range n {
		file, err := os.OpenFile(fmt.Sprintf("%s/%s-%d", dir, kind, i),
			os.O_RDWR|os.O_CREATE, 0o600)
		testroot.Must(h.t, err)
		testroot.Must(h.t, unix.Flock(int(file.Fd()), unix.LOCK_EX))
		h.t.Cleanup(func() { file.Close() })
	}
}

func TestEventForWhichThereIsNoPlaceIsDroppedAndLogged(t *testing.T) {
	h := newHost(t, ": >ran")
	h.take("place", notify.Places)
	h.tell(ample, an(event.Lock))
	h.logged(event.Lock, fmt.Sprintf("dropped: %d are waiting already", notify.Places))
	if _, err := os.Stat(h.root.Join("out/ran")); err == nil {
		t.Error("the program was run")
	}
}

func TestEventForWhichTheLastPlaceIsFreeIsTold(t *testing.T) {
	h := newHost(t, ": >ran")
	h.take("place", notify.Places-1)
	h.take("turn", notify.Turns-1)
	h.tell(ample, an(event.Lock))
	h.silent()
	h.out("ran")
}

func TestEventWhoseTurnDoesNotComeIsDroppedAndLogged(t *testing.T) {
	h := newHost(t, ": >ran")
	h.take("turn", notify.Turns)
	h.tell([]string{"100ms", "60s", "60s"}, an(event.Lock))
	h.logged(event.Lock, "dropped: no turn came in time")
}

// hung starts a latchkey-notify whose program hangs, and stops it as a user's control group can.
func (h *host) hung() *exec.Cmd {
	h.t.Helper()
	cmd := h.command([]string{"1h", "1h", "1h"}, an(event.Lock))
	testroot.Must(h.t, cmd.Start())
	h.t.Cleanup(func() { cmd.Process.Kill() })
	h.started()
	testroot.Must(h.t, cmd.Process.Signal(syscall.SIGSTOP))
	return cmd
}

// FAULTS 36: users who stop those that run must not keep everyone's events back for good.
func TestNotifierThatOutlivesItselfIsEnded(t *testing.T) {
	testroot.NeedRoot(t, "only root's processes end others")
	h := newHost(t,
		`read -r event; case $event in *new-network*) : >told;; *) echo $$ >pids; exec sleep `+
			`1000; esac`)
	stopped := h.hung()
	ended := make(chan struct{})
	go func() {
		stopped.Wait()
		close(ended)
	}()
	h.until("the stopped process is ended", func() bool {
		// it outlives itself in half a second
		h.tell([]string{"0s", "60s", "250ms"}, an(event.NewNetwork))
		select {
		case <-ended:
			return true
		default:
			return false
		}
	})
}

// Its twin: one that may still be at work is left alone.
func TestNotifierThatMayStillWorkIsNotEnded(t *testing.T) {
	h := newHost(t,
		`read -r event; case $event in *new-network*) : >told;; *) echo $$ >pids; exec sleep `+
			`1000; esac`)
	stopped := h.hung()
	h.tell(ample, an(event.NewNetwork))
	h.silent()
	h.out("told")
	if err := stopped.Process.Signal(syscall.Signal(0)); err != nil {
		t.Errorf("the process was ended: %v", err)
	}
}
