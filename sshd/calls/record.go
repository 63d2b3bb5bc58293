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
	processes, err := h.PIDs()
	testroot.Must(t, err)
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
