package main

import (
	"bytes"
	"encoding/json"
	"net"
	"os/exec"
	"syscall"

	"latchkey/sshd/suite/wire"
)

// execute reads one request, runs it and answers. A command lives no longer than its connection:
// when the harness closes that, the command's whole process group is killed.
func execute(conn net.Conn) {
	defer conn.Close()
	var req wire.Request
	if err := json.NewDecoder(conn).Decode(&req); err != nil || len(req.Argv) == 0 {
		return
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(req.Argv[0], req.Argv[1:]...)
	cmd.Stdin = bytes.NewReader(req.Stdin)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.Env = append([]string{
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8",
	}, req.Env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		_ = json.NewEncoder(conn).Encode(wire.Reply{Exit: 127, Stderr: []byte(err.Error())})
		return
	}
	go func() {
		if _, err := conn.Read(make([]byte, 1)); err != nil {
			_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		}
	}()
	_ = cmd.Wait()
	_ = json.NewEncoder(conn).Encode(reply(cmd, stdout.Bytes(), stderr.Bytes()))
}

func reply(cmd *exec.Cmd, stdout, stderr []byte) wire.Reply {
	usage := cmd.ProcessState.SysUsage().(*syscall.Rusage)
	return wire.Reply{
		Exit:   cmd.ProcessState.ExitCode(),
		Stdout: stdout,
		Stderr: stderr,
		CPU:    cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime(),
		Peak:   usage.Maxrss << 10,
	}
}
