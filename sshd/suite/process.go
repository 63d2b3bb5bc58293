package suite

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Process is one process inside a host, seen through this side's /proc.
type Process struct {
	Pid, Parent int
	Name        string // comm
	State       string // R, S, Z, …
	Threads     int
	UID         int // effective
}

// PIDs are the processes of the host, the agent's among them, as this side numbers them: those of
// its PID namespace, since what an engine starts later descends from the engine.
func (h *Host) PIDs() (pids []int, err error) {
	namespace, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/pid", h.Pid))
	if err != nil {
		return nil, err
	}
	dirs, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	for _, dir := range dirs {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if its, _ := os.Readlink(dir + "/ns/pid"); err == nil && its == namespace {
			pids = append(pids, pid)
		}
	}
	return pids, nil
}

// Processes are all processes of the host but the agent's own two. One that ends meanwhile is left
// out.
func (h *Host) Processes() ([]Process, error) {
	pids, err := h.PIDs()
	if err != nil {
		return nil, err
	}
	var found []Process
	for _, pid := range pids {
		p, err := processAt(fmt.Sprintf("/proc/%d", pid))
		if err == nil && !strings.HasPrefix(p.Name, "latchkey-suite") && p.Name != "exe" {
			found = append(found, p)
		}
	}
	return found, nil
}

func processAt(dir string) (p Process, err error) {
	status, err := os.ReadFile(dir + "/status")
	for _, line := range strings.Split(string(status), "\n") {
		key, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch key {
		case "Name":
			p.Name = value
		case "State":
			p.State = value[:1]
		case "Pid":
			p.Pid, _ = strconv.Atoi(value)
		case "PPid":
			p.Parent, _ = strconv.Atoi(value)
		case "Threads":
			p.Threads, _ = strconv.Atoi(value)
		case "Uid":
			p.UID, _ = strconv.Atoi(strings.Fields(value)[1])
		}
	}
	return p, err
}

// Mapped are the files that the process has mapped.
func (p Process) Mapped() ([]string, error) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", p.Pid))
	if err != nil {
		return nil, err
	}
	seen := map[string]bool{}
	var files []string
	for _, line := range bytes.Split(maps, []byte("\n")) {
		if at := bytes.IndexByte(line, '/'); at >= 0 && !seen[string(line[at:])] {
			seen[string(line[at:])] = true
			files = append(files, string(line[at:]))
		}
	}
	return files, nil
}

// Kill ends the process with SIGKILL.
func (p Process) Kill() error { return syscall.Kill(p.Pid, syscall.SIGKILL) }
