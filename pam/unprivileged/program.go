package unprivileged

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Program is one of latchkey's programs that does for a login what needs the network: it reads one
// request, writes its answer, and has no rights.
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

// Run starts the program, gives it the request and returns what it writes, all within limit, and
// leaves no process behind. With enough, it looks at all that was written so far after each piece,
// and ends the program once that is enough.
func (p Program) Run(request []byte, limit time.Duration,
	enough func(text []byte) bool) ([]byte, error) {
	in, err := newPipe()
	if err != nil {
		return nil, err
	}
	defer in.close()
	out, err := newPipe()
	if err != nil {
		return nil, err
	}
	defer out.close()
	child, err := p.start(in.read, out.write)
	if err != nil {
		return nil, err
	}
	defer end(child)
	in.closeRead()
	out.closeWrite()
	// The request may be longer than a pipe is deep, and the program need not read it.
	if err := unix.SetNonblock(in.write, true); err != nil {
		return nil, os.NewSyscallError("fcntl", err)
	}
	return p.converse(&exchange{in: in, out: out, request: request}, limit, enough)
}

// start starts the program as an unprivileged user, with an empty environment, its standard input
// and output and nothing else. It dies with us.
func (p Program) start(stdin, stdout int) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: "/", Env: []string{},
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
	in, out *pipe
	request []byte // what is still to be written
	text    []byte // what was read
	ended   bool
}

// converse writes and reads until the program has written all. It stops at the limit, at the most
// that may be written, and when the host goes away.
func (p Program) converse(x *exchange, limit time.Duration,
	enough func([]byte) bool) ([]byte, error) {
	for until := p.Clock().Add(limit); ; {
		read, err := p.step(x, until.Sub(p.Clock()))
		switch {
		case err != nil:
			return nil, err
		case len(x.text) > p.Most:
			return nil, errors.New("answered too much")
		case read && enough != nil && enough(x.text):
			return x.text, nil
		case x.ended:
			return x.text, nil
		}
	}
}

// step waits until something can be written or read, and does that.
func (p Program) step(x *exchange, left time.Duration) (read bool, err error) {
	if left <= 0 {
		return false, errors.New("no answer in time")
	}
	poll := []unix.PollFd{{Fd: int32(x.out.read), Events: unix.POLLIN},
		{Fd: int32(x.in.write), Events: unix.POLLOUT},
		{Fd: int32(p.Watched), Events: unix.POLLRDHUP}}
	if _, err := unix.Poll(poll, int(left/time.Millisecond)+1); err != nil {
		return false, ignoring(err, unix.EINTR)
	}
	if poll[2].Revents != 0 {
		return false, errors.New("given up: no one is waiting for the answer")
	}
	if poll[1].Revents != 0 {
		if err := x.write(); err != nil {
			return false, err
		}
	}
	if poll[0].Revents == 0 {
		return false, nil
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
	case err != nil:
		return errors.New("did not take the request")
	}
	if x.request = x.request[n:]; len(x.request) == 0 {
		x.in.closeWrite()
	}
	return nil
}

func (x *exchange) read() (some bool, err error) {
	var buf [4096]byte
	n, err := unix.Read(x.out.read, buf[:])
	if err != nil {
		return false, ignoring(err, unix.EINTR)
	}
	x.text, x.ended = append(x.text, buf[:n]...), n == 0
	return n > 0, nil
}

// end makes sure that the child is gone, and what it may have started in its process group.
func end(pid int) {
	unix.Kill(-pid, unix.SIGKILL)
	unix.Kill(pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}
