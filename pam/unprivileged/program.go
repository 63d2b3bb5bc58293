package unprivileged

import (
	"bytes"
	"errors"
	"os"
	"syscall"
	"time"

	"latchkey/pam/unprivileged/harden"

	"golang.org/x/sys/unix"
)

// Program is one of latchkey's programs that does for a login what needs the network: it reads
// requests, writes its answers, and has no rights.
//
// It is started without os/exec, which a program that runs as root at every login has no use for.
type Program struct {
	Root  string // prefix of every path; "" but in tests
	Path  string
	Clock func() time.Time
	// Watched is a socket whose end of file ends a request that is under way; -1 is none.
	Watched int
	Most    int // how many bytes it may write
}

// Run starts the program, gives it the request and returns all that it writes, within limit, and
// leaves no process behind.
func (p Program) Run(request []byte, limit time.Duration) ([]byte, error) {
	r, err := p.Start()
	if err != nil {
		return nil, err
	}
	defer r.End()
	x := &exchange{Running: r, request: request, last: true}
	if err := x.converse(limit, func() bool { return x.ended }); err != nil {
		return nil, err
	}
	return x.text, nil
}

// Running is a program that was started, and that its starter ends. It reads and writes a line for
// each request.
type Running struct {
	Program
	pid     int
	in, out *pipe
	untold  []byte // goes before the next request
}

// Start starts the program.
func (p Program) Start() (*Running, error) {
	r := &Running{Program: p}
	var err error
	if r.in, err = newPipe(); err != nil {
		return nil, err
	}
	if r.out, err = newPipe(); err != nil {
		r.in.close()
		return nil, err
	}
	r.pid, err = p.start(r.in.read, r.out.write)
	r.in.closeRead()
	r.out.closeWrite()
	// The request may be longer than a pipe is deep, and the program need not read it.
	if err == nil {
		err = os.NewSyscallError("fcntl", unix.SetNonblock(r.in.write, true))
	}
	if err != nil {
		r.End()
		return nil, err
	}
	return r, nil
}

// Tell gives the program a line that it does not answer, without waiting: what the pipe does not
// take goes before the next request.
func (r *Running) Tell(line []byte) {
	r.untold = append(r.untold, line...)
	// of a program that has ended, the next request hears
	if n, err := unix.Write(r.in.write, r.untold); err == nil {
		r.untold = r.untold[n:]
	}
}

// ErrEnded is of a program that ended, or closed its pipes, before it answered.
var ErrEnded = errors.New("ended without an answer")

// Ask gives the program a request, which is one line, and returns the line that it answers within
// limit, without its end. After an error the program is of no more use.
func (r *Running) Ask(request []byte, limit time.Duration) ([]byte, error) {
	x := &exchange{Running: r, request: append(r.untold, request...)}
	r.untold = nil
	err := x.converse(limit, func() bool { return x.ended || bytes.IndexByte(x.text, '\n') >= 0 })
	line, more, whole := bytes.Cut(x.text, []byte("\n"))
	switch {
	case err != nil:
		return nil, err
	case !whole:
		return nil, ErrEnded
	case len(more) > 0 || len(x.request) > 0:
		return nil, errors.New("answered what it was not asked")
	}
	return line, nil
}

// Stop kills the program, and what it may have started in its process group, and does not wait until
// they are gone.
func (r *Running) Stop() {
	r.in.close()
	r.out.close()
	if r.pid > 0 {
		unix.Kill(-r.pid, unix.SIGKILL)
		unix.Kill(r.pid, unix.SIGKILL)
	}
}

// End makes sure that the program is gone.
func (r *Running) End() {
	r.Stop()
	if r.pid <= 0 {
		return
	}
	for {
		if _, err := unix.Wait4(r.pid, nil, 0, nil); err != unix.EINTR {
			break
		}
	}
	r.pid = 0
}

// start starts the program as an unprivileged user, with harden.Environment, its standard input and
// output and nothing else. It dies with us.
func (p Program) start(stdin, stdout int) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: "/", Env: harden.Environment,
		Files: []uintptr{uintptr(stdin), uintptr(stdout)}}
	attr.Sys = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if os.Geteuid() == 0 {
		uid, gid, _ := Account(p.Root)
		attr.Sys.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	program := p.Root + p.Path
	return syscall.ForkExec(program, []string{program}, attr)
}

// exchange is what goes to the program and comes from it.
type exchange struct {
	*Running
	request []byte // what is still to be written
	last    bool   // there will be no other
	text    []byte // what was read
	ended   bool
}

// converse writes and reads until done. It stops at the limit, at the most that may be written, and
// when the host goes away.
func (x *exchange) converse(limit time.Duration, done func() bool) error {
	for until := x.Clock().Add(limit); !done(); {
		if err := x.step(until.Sub(x.Clock())); err != nil {
			return err
		}
		if len(x.text) > x.Most {
			return errors.New("answered too much")
		}
	}
	return nil
}

// step waits until something can be written or read, and does that.
func (x *exchange) step(left time.Duration) error {
	if left <= 0 {
		return errors.New("no answer in time")
	}
	poll := []unix.PollFd{{Fd: int32(x.out.read), Events: unix.POLLIN},
		{Fd: -1, Events: unix.POLLOUT},
		{Fd: int32(x.Watched), Events: unix.POLLRDHUP}}
	if len(x.request) > 0 {
		poll[1].Fd = int32(x.in.write)
	}
	if _, err := unix.Poll(poll, int(left/time.Millisecond)+1); err != nil {
		return ignoring(err, unix.EINTR)
	}
	if poll[2].Revents != 0 {
		return errors.New("given up: no one is waiting for the answer")
	}
	if poll[1].Revents != 0 {
		if err := x.write(); err != nil {
			return err
		}
	}
	if poll[0].Revents == 0 {
		return nil
	}
	return x.read()
}

func ignoring(err, harmless error) error {
	if err == harmless {
		return nil
	}
	return err
}

// write writes what the pipe takes.
func (x *exchange) write() error {
	n, err := unix.Write(x.in.write, x.request)
	switch {
	case err == unix.EAGAIN || err == unix.EINTR:
		return nil
	case err == unix.EPIPE:
		return ErrEnded
	case err != nil:
		return os.NewSyscallError("write", err)
	}
	if x.request = x.request[n:]; len(x.request) == 0 && x.last {
		x.in.closeWrite()
	}
	return nil
}

func (x *exchange) read() error {
	var buf [4096]byte
	n, err := unix.Read(x.out.read, buf[:])
	if err != nil {
		return ignoring(err, unix.EINTR)
	}
	x.text, x.ended = append(x.text, buf[:n]...), n == 0
	return nil
}
