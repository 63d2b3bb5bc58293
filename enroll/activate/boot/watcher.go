package boot

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// patience is for a command of systemd's.
const patience = time.Minute

// Watch starts the command that waits until the activation is due: as a service where there is
// systemd, so that it does not belong to the session, else as a process of its own.
func Watch(program string) error {
	if Systemd() {
		if run("systemctl", "daemon-reload") == nil &&
			run("systemctl", "restart", "--no-block", unitName) == nil {
			return nil
		}
		if run("systemd-run", "--quiet", "--collect", program, "deactivate", "--due") == nil {
			return nil
		}
	}
	return Detach(program)
}

// Systemd reports whether systemd runs this machine (sd_booted(3)).
func Systemd() bool {
	st, err := os.Lstat("/run/systemd/system")
	return err == nil && st.IsDir()
}

func run(words ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return exec.CommandContext(ctx, words[0], words[1:]...).Run()
}

// Detach starts the command in a session of its own, with nothing of the caller's: neither
// terminal nor folder nor, where that is allowed, control group. Process 1 inherits it.
func Detach(program string) error {
	null, err := os.OpenFile("/dev/null", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	cmd := exec.Command(program, "deactivate", "--due")
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = "/", null, null, null
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return err
	}
	leave(cmd.Process.Pid)
	return cmd.Process.Release()
}

// leave moves a process out of the control group of the session, which may be ended as a whole.
// Where that is not allowed, it stays.
func leave(pid int) {
	group, err := os.OpenFile("/sys/fs/cgroup/cgroup.procs", os.O_WRONLY, 0)
	if err != nil {
		return
	}
	defer group.Close()
	_, _ = group.WriteString(strconv.Itoa(pid))
}

// Program is where the program that calls this is installed.
func Program() string {
	path, err := os.Readlink("/proc/self/exe")
	if path = strings.TrimSuffix(path, " (deleted)"); err != nil || path == "" {
		return "/usr/bin/enroll"
	}
	return path
}
