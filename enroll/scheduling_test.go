package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/sshd/poll"
)

// idle are the commands with which callers give a program the lowest priorities there are.
var idle = []string{"nice", "-n", "19", "ionice", "-c", "3", "chrt", "-i", "0"}

// holds locks a file.
func holds(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	return f
}

// opens waits until a process has opened a path.
func opens(t *testing.T, pid int, path string) {
	t.Helper()
	if err := poll.Until("enroll to open "+path, lockWait, func() error {
		files, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
		for _, file := range files {
			if to, _ := os.Readlink(file); to == path {
				return nil
			}
		}
		return fmt.Errorf("it has not")
	}); err != nil {
		t.Fatal(err)
	}
}

// ordinary demands that every thread of a process runs as programs do by themselves.
func ordinary(t *testing.T, pid int) {
	t.Helper()
	threads, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil || len(threads) == 0 {
		t.Fatalf("%d threads, %v", len(threads), err)
	}
	for _, thread := range threads {
		var id int
		fmt.Sscan(thread.Name(), &id)
		attr, err := unix.SchedGetAttr(id, 0)
		const thisThread = 1 // IOPRIO_WHO_PROCESS of ioprio_get(2)
		class, _, errno := unix.Syscall(unix.SYS_IOPRIO_GET, thisThread, uintptr(id), 0)
		if err != nil || errno != 0 || attr.Policy != unix.SCHED_NORMAL || attr.Nice != 0 ||
			class>>13 == 3 {
			t.Errorf("thread %d has policy %d, nice %d, I/O class %d; %v, %v", id, attr.Policy,
				attr.Nice, class>>13, err, errno)
		}
	}
}

// FAULTS 36
func TestNoPriorityOfTheCallerIsLeftWhereEnrollHoldsALock(t *testing.T) {
	exe, root := setuidRoot(t, "nobody")
	held := holds(t, root+"/var/lib/latchkey/users/nobody")
	cmd := exec.Command(idle[0], append(idle[1:len(idle):len(idle)], exe, "status")...)
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: nobody,
		Gid: nobody}}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// The caller goes on for as long as the kernel lets them.
	for again := true; again; {
		chrt := exec.Command("chrt", "-a", "-i", "-p", "0", fmt.Sprint(cmd.Process.Pid))
		chrt.SysProcAttr = cmd.SysProcAttr
		again = chrt.Run() == nil
	}
	opens(t, cmd.Process.Pid, held.Name())
	ordinary(t, cmd.Process.Pid)
	held.Close()
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v: %s", err, out.String())
	}
}
