package testroot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// Group makes a control group that can be frozen, or skips the test. Processes left in it are
// killed when the test ends.
func Group(t testing.TB) string {
	t.Helper()
	NeedRoot(t, "only root makes control groups")
	for line := range strings.Lines(string(Read(t, "/proc/mounts"))) {
		fields := strings.Fields(line)
		if fields[2] != "cgroup2" {
			continue
		}
		group, err := os.MkdirTemp(fields[1], "latchkey-test-")
		if err != nil {
			t.Skipf("no control groups can be made here: %v", err)
		}
		t.Cleanup(func() {
			os.WriteFile(group+"/cgroup.kill", []byte("1"), 0)
			for errors.Is(unix.Rmdir(group), unix.EBUSY) { // until the killed processes are gone
			}
		})
		if _, err := os.Stat(group + "/cgroup.freeze"); err != nil {
			t.Skipf("control groups cannot be frozen here: %v", err)
		}
		return group
	}
	t.Skip("there are no control groups of version 2 here")
	return ""
}

// Freeze freezes processes until the test ends, as users with a control group of their own may.
func Freeze(t testing.TB, pids ...int) {
	t.Helper()
	group := Group(t)
	for _, pid := range pids {
		Must(t, os.WriteFile(filepath.Join(group, "cgroup.procs"), fmt.Append(nil, pid), 0))
	}
	Must(t, os.WriteFile(filepath.Join(group, "cgroup.freeze"), []byte("1"), 0))
}
