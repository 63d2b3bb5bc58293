// Package dispatch reaches Twilio Verify by running latchkey-twilio, which has the network and no
// rights.
//
// It is linked into programs that run as root, so it knows processes and pipes, and nothing of any
// network.
package dispatch

import (
	"errors"
	"os"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/settings"
	"latchkey/pam/unprivileged"
)

// Program is where make install puts latchkey-twilio; -ldflags -X
// latchkey/pam/twilio/dispatch.Program=PATH sets it.
var Program = "/usr/libexec/latchkey/latchkey-twilio"

// Bounds of one request, and of all that one Dispatcher makes: together they leave the gate's
// deadline of 20 seconds room.
const (
	requestTime = 7 * time.Second
	allRequests = 15 * time.Second
	spare       = time.Second // for starting and ending latchkey-twilio
)

// Dispatcher runs latchkey-twilio for one login or one enrollment.
type Dispatcher struct {
	Root  string // prefix of every path; "" but in tests
	Clock func() time.Time
	// Watched is a socket whose end of file ends a request that is under way; -1 is none.
	Watched int
	spent   time.Duration
}

// Ready tells what is wrong with the settings.
func (d *Dispatcher) Ready() error {
	_, err := settings.Load(d.Root, settings.DefaultPath)
	return err
}

// Send has a code sent to a number in E.164. Locale is a language, or empty.
func (d *Dispatcher) Send(number string, channel method.Method, locale string) protocol.Answer {
	return d.ask(protocol.Request{Action: protocol.Send, To: number, Channel: channel,
		Locale: locale})
}

// Check compares a code with the verification sid, which was sent to number.
func (d *Dispatcher) Check(number, sid, code string) protocol.Answer {
	return d.ask(protocol.Request{Action: protocol.Check, To: number, SID: sid, Code: code})
}

// Probe tries the credentials without sending anything.
func (d *Dispatcher) Probe() protocol.Answer {
	return d.ask(
		protocol.Request{Action: protocol.Probe})
}

// ask runs latchkey-twilio for one request. Any failure is an answer that accepts nothing.
func (d *Dispatcher) ask(r protocol.Request) protocol.Answer {
	left := min(requestTime, allRequests-d.spent)
	if left < spare {
		return failed(protocol.Timeout, "this login has used up its time for requests")
	}
	service, err := settings.Load(d.Root, settings.DefaultPath)
	if err != nil {
		return failed(protocol.Refused, err.Error())
	}
	r.Version, r.Service, r.TimeoutMS = protocol.Version, service, int(left/time.Millisecond)
	text, err := protocol.EncodeRequest(r)
	if err != nil {
		return failed(protocol.Refused, err.Error())
	}
	began := d.Clock()
	answer, err := d.run(text, left+spare)
	d.spent += d.Clock().Sub(began)
	if err == nil && !answer.Answers(r) {
		err = errors.New("answered another request")
	}
	if err != nil {
		return failed(protocol.Failed, "latchkey-twilio: "+err.Error())
	}
	return answer
}

func failed(r protocol.Result, detail string) protocol.Answer {
	return protocol.Answer{Version: protocol.Version, Result: r, Detail: detail}
}

// run starts latchkey-twilio, gives it the request and takes the answer, all within limit, and
// leaves no process behind.
func (d *Dispatcher) run(request []byte, limit time.Duration) (protocol.Answer, error) {
	var none protocol.Answer
	in, err := newPipe()
	if err != nil {
		return none, err
	}
	defer in.close()
	out, err := newPipe()
	if err != nil {
		return none, err
	}
	defer out.close()
	child, err := d.start(in.read, out.write)
	if err != nil {
		return none, err
	}
	defer end(child)
	in.closeRead()
	out.closeWrite()
	// The request is no longer than a pipe is deep, so this never waits for the child.
	if n, err := unix.Write(in.write, request); err != nil || n != len(request) {
		return none, errors.New("did not take the request")
	}
	in.closeWrite()
	text, err := d.collect(out.read, limit)
	switch {
	case err != nil:
		return none, err
	case len(text) == 0:
		return none, errors.New("ended without an answer")
	}
	return protocol.DecodeAnswer(text)
}

// start starts latchkey-twilio as an unprivileged user, with an empty environment, its standard
// input and output and nothing else. It dies with us.
func (d *Dispatcher) start(stdin, stdout int) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: "/", Env: []string{},
		Files: []uintptr{uintptr(stdin), uintptr(stdout)}}
	attr.Sys = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		uid, gid, _ := unprivileged.Account(d.Root)
		attr.Sys.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	program := d.Root + Program
	return syscall.ForkExec(program, []string{program}, attr)
}

// collect reads the answer to its end. It stops at the limit, at the longest message, and when the
// host goes away.
func (d *Dispatcher) collect(fd int, limit time.Duration) ([]byte, error) {
	var text []byte
	buf := make([]byte, 4096)
	for until := d.Clock().Add(limit); len(text) <= protocol.MaxMessage; {
		left := until.Sub(d.Clock())
		if left <= 0 {
			return nil, errors.New("no answer in time")
		}
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN},
			{Fd: int32(d.Watched), Events: unix.POLLRDHUP}}
		if _, err := unix.Poll(poll, int(left/time.Millisecond)+1); err != nil &&
			err != unix.EINTR {
			return nil, err
		}
		if poll[1].Revents != 0 {
			return nil, errors.New("given up: no one is waiting for the answer")
		}
		if poll[0].Revents == 0 {
			continue
		}
		n, err := unix.Read(fd, buf)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return nil, err
		case n == 0:
			return text, nil
		default:
			text = append(text, buf[:n]...)
		}
	}
	return nil, errors.New("answered too much")
}

// end makes sure that the child is gone.
func end(pid int) {
	unix.Kill(pid, unix.SIGKILL)
	for {
		if _, err := unix.Wait4(pid, nil, 0, nil); err != unix.EINTR {
			return
		}
	}
}
