package calls

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"latchkey/pam/testroot"
	"latchkey/sshd/suite"
)

// Record runs meanwhile, and returns the calls that all processes of a host, and those that they
// start, make in that time. meanwhile gets the path of the log, which grows.
func Record(t *testing.T, h *suite.Host, meanwhile func(log string)) []Call {
	t.Helper()
	log := filepath.Join(t.TempDir(), "trace")
	line := testroot.Strace(t, append(options, "-o", log)...)
	processes := processesOf(t, h)
	for _, pid := range processes {
		line = append(line, "-p", fmt.Sprint(pid))
	}
	strace := exec.Command(line[0], line[1:]...)
	says, err := strace.StderrPipe()
	testroot.Must(t, err)
	testroot.Must(t, strace.Start())
	defer strace.Process.Kill()
	lines := bufio.NewScanner(says)
	for range processes { // "strace: Process 123 attached"
		if !lines.Scan() {
			t.Fatalf("strace does not attach to all of %d: %v", processes, strace.Wait())
		}
	}
	drained := make(chan struct{})
	go func() { // it names each process that starts, and would wait if no one read that
		_, _ = io.Copy(io.Discard, says)
		close(drained)
	}()
	meanwhile(log)
	testroot.Must(t, strace.Process.Signal(unix.SIGINT))
	<-drained
	_ = strace.Wait() // it ends by that signal
	text, err := os.ReadFile(log)
	testroot.Must(t, err)
	all, err := parse(string(text))
	testroot.Must(t, err)
	return all
}

// processesOf are those of the host's name space, as this side numbers them.
func processesOf(t *testing.T, h *suite.Host) (pids []int) {
	t.Helper()
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", h.Pid))
	testroot.Must(t, err)
	all, err := filepath.Glob("/proc/[0-9]*")
	testroot.Must(t, err)
	for _, proc := range all {
		if its, _ := os.Readlink(proc + "/ns/pid"); its == namespace {
			var pid int
			fmt.Sscanf(proc, "/proc/%d", &pid)
			pids = append(pids, pid)
		}
	}
	return pids
}
