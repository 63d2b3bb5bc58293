// Package dispatch reports events to the program of [notify] in latchkey.toml, by starting
// latchkey-notify, which outlives the login.
//
// It is linked into programs that run as root, so it uses processes and pipes and nothing else. It
// never waits for the program, and its failures change no login.
package dispatch

import (
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"latchkey/pam/audit"
	"latchkey/pam/notify/event"
)

// Program is the path at which make install puts latchkey-notify; -ldflags -X
// latchkey/pam/notify/dispatch.Program=PATH sets it.
var Program = "/usr/libexec/latchkey/latchkey-notify"

// environment is all that latchkey-notify gets: one thread is enough for it.
var environment = []string{"GOMAXPROCS=1", "GOTRACEBACK=none"}

// Notifier starts latchkey-notify.
type Notifier struct {
	Root string // prefix of every path; "" but in tests
	Log  audit.Syslog
}

// Tell reports events to the program. It returns at once; events that cannot be reported are
// logged.
func (n Notifier) Tell(program string, events ...event.Event) {
	if program == "" || len(events) == 0 {
		return
	}
	err := n.start(event.Job{Program: program, Events: events, JSON: n.Log.JSON})
	if err == nil {
		return
	}
	for _, e := range events {
		n.Log.Log(audit.Warning, e.Untold(program, "latchkey-notify: "+err.Error()))
	}
}

// start starts latchkey-notify in a session of its own, with the job in a pipe and no other
// descriptor, so that neither it nor its children affect the session that the user gets.
func (n Notifier) start(job event.Job) error {
	text, err := job.Encode()
	if err != nil {
		return err
	}
	var pipe [2]int
	if err := unix.Pipe2(pipe[:], unix.O_CLOEXEC); err != nil {
		return os.NewSyscallError("pipe", err)
	}
	defer unix.Close(pipe[0])
	// A pipe holds more than a job, so this waits for no reader.
	_, err = unix.Write(pipe[1], text)
	unix.Close(pipe[1])
	if err != nil {
		return os.NewSyscallError("write", err)
	}
	const none = ^uintptr(0)
	_, err = syscall.ForkExec(n.Root+Program, []string{Program}, &syscall.ProcAttr{
		Dir: "/", Env: environment, Files: []uintptr{uintptr(pipe[0]), none, none},
		Sys: &syscall.SysProcAttr{Setsid: true},
	})
	return err
}
