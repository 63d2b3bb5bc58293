package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// privilege is root's effective uid of a setuid program, put down except where it is needed. The zero value is root's own.
type privilege struct {
	real  int
	abort func(error) // ends the program; nil: at once
}

// dropPrivilege puts root's effective uid down. For root itself there is nothing to put down.
func dropPrivilege() (privilege, error) {
	p := privilege{real: os.Getuid()}
	if p.real != 0 && os.Geteuid() != 0 {
		return p, &failure{"without root's rights: not installed setuid root, or run where that is switched off (nosuid, no new privileges, a debugger)",
			"run it in an ordinary login, or ask your administrator"}
	}
	if err := p.set(p.real, p.real); err != nil {
		p.end(err)
	}
	return p, nil
}

// as0 runs do as root in every respect. Were the real uid the caller's, he could stop the program (kill -STOP) while it holds
// a lock, and keep everybody from logging in by phone or enrolling.
func (p privilege) as0(do func() error) error {
	return p.as(0, func() error {
		if p.real != 0 {
			resetScheduling() // the caller may have changed it since the start, and cannot any more
		}
		return do()
	})
}

// asSetuid runs do with root's effective uid and the caller's real one, by which PAM modules tell who asks.
func (p privilege) asSetuid(do func() error) error { return p.as(p.real, do) }

func (p privilege) as(real int, do func() error) error {
	if err := p.set(real, 0); err != nil {
		p.end(fmt.Errorf("%w; nothing was changed", err))
	}
	err := do()
	if down := p.set(p.real, p.real); down != nil {
		p.end(down)
	}
	return err
}

// end ends the program. Going on with uids that nobody knows is worse than anything the caller could do about it.
func (p privilege) end(err error) {
	if p.abort != nil {
		p.abort(err)
	}
	os.Exit(report(os.Stderr, err))
}

func (p privilege) set(real, effective int) error {
	if p.real == 0 {
		return nil
	}
	if err := unix.Setresuid(real, effective, 0); err != nil {
		return fmt.Errorf("change the effective uid to %d: %w", effective, err)
	}
	return threadsHave(real, effective)
}

// threadsHave looks at the uids of every thread. libc changes those of the other threads by sending each a signal, and takes a
// thread that no signal can be sent to for one that has ended: a caller can bring that about by filling the queue of
// his signals (RLIMIT_SIGPENDING, setrlimit(2)), and would be left with threads that are still root's.
func threadsHave(real, effective int) error {
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return fmt.Errorf("look at the uids of the threads: %w", err)
	}
	want := fmt.Sprintf("\nUid:\t%d\t%d\t0\t%d\n", real, effective, effective)
	for _, thread := range threads {
		status, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/status")
		switch {
		case errors.Is(err, fs.ErrNotExist) || errors.Is(err, unix.ESRCH): // it has ended
		case err != nil:
			return fmt.Errorf("look at the uids of a thread: %w", err)
		case !strings.Contains(string(status), want):
			return errors.New("the uids of a thread could not be changed (see: ulimit -i)")
		}
	}
	return nil
}
