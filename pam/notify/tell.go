package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/notify/dispatch"
	"latchkey/pam/notify/event"
	"latchkey/pam/unprivileged"
)

// environment is the whole environment of the program.
var environment = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C.UTF-8", "HOME=/"}

// tell runs the program for one event, no longer than limit, and returns what went wrong.
func tell(root, program string, e event.Event, limit time.Duration) error {
	if limit <= 0 {
		return errLate
	}
	uid, gid, _ := unprivileged.Account(root)
	if os.Geteuid() != 0 {
		uid, gid = uint32(os.Geteuid()), uint32(os.Getegid())
	}
	path, err := dispatch.Check(root, program, uid, gid)
	if err != nil {
		return err
	}
	text, err := e.Encode()
	if err != nil {
		return err
	}
	said, err := unix.MemfdCreate("said", unix.MFD_CLOEXEC)
	if err != nil {
		return os.NewSyscallError("memfd_create", err)
	}
	defer unix.Close(said)
	pid, err := start(path, uid, gid, text, said)
	if err != nil {
		return err
	}
	status, late := await(pid, limit)
	endAll()
	return failure(status, late, limit, said)
}

// start starts the program with the event as its standard input. A change of the user also drops
// the supplementary groups and all capabilities.
func start(path string, uid, gid uint32, input []byte, said int) (pid int, err error) {
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return 0, os.NewSyscallError("pipe", err)
	}
	defer unix.Close(pipe[0])
	_, err = unix.Write(pipe[1], input) // a pipe holds more than an event
	unix.Close(pipe[1])
	if err != nil {
		return 0, os.NewSyscallError("write", err)
	}
	attr := &syscall.ProcAttr{
		Dir: "/", Env: environment,
		Files: []uintptr{uintptr(pipe[0]), uintptr(said), uintptr(said)},
		Sys:   &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL},
	}
	if os.Geteuid() == 0 {
		attr.Sys.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	pid, err = syscall.ForkExec(path, []string{path}, attr)
	if err != nil {
		return 0, &os.PathError{Op: "exec", Path: path, Err: err}
	}
	return pid, nil
}

// maxSaid is how much of a failing program's output is logged.
const maxSaid = 160

// failure returns what the log says about a program that did not do its work.
func failure(status unix.WaitStatus, late bool, limit time.Duration, said int) error {
	var ended string
	switch {
	case late:
		ended = fmt.Sprintf("ended after %v", limit.Round(time.Second))
	case status.Signaled():
		ended = "killed by " + unix.SignalName(status.Signal())
	case status.ExitStatus() != 0:
		ended = fmt.Sprintf("exit status %d", status.ExitStatus())
	default:
		return nil
	}
	if words := lastWords(said); words != "" {
		ended += ": " + words
	}
	return errors.New(ended)
}

// lastWords are the end of what the program printed: what went wrong stands there as a rule.
func lastWords(said int) string {
	size, err := unix.Seek(said, 0, io.SeekEnd)
	if err != nil {
		return ""
	}
	text := make([]byte, maxSaid)
	n, _ := unix.Pread(said, text, max(size-maxSaid, 0))
	return strings.TrimSpace(string(text[:max(n, 0)]))
}
