package main

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/policy"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/settings"
)

// libexec is where make install puts the programs that people do not call; -ldflags -X main.libexec=DIR sets it.
var libexec = "/usr/libexec/latchkey"

// Bounds of one request, and of all in one login: together they leave the gate's deadline of 20 seconds some room.
const (
	requestTime = 7 * time.Second
	allRequests = 15 * time.Second
	spare       = time.Second // for starting and ending latchkey-twilio
)

// nobody is the uid and gid latchkey-twilio runs as where there is no account of that name. It keeps other processes of
// that user away by not being dumpable.
const nobody = 65534

// account is the account made for latchkey-twilio.
const account = "latchkey"

// verifier reaches Twilio Verify by running latchkey-twilio, which has the network and no rights. It implements
// flow.Verifier.
type verifier struct {
	wire  *wire
	root  string
	clock func() time.Time
	spent time.Duration
}

// Send implements flow.Verifier.
func (v *verifier) Send(number string, channel policy.Method, locale string) protocol.Answer {
	return v.ask(protocol.Request{Action: protocol.Send, To: number, Channel: protocol.Channel(channel), Locale: locale})
}

// Check implements flow.Verifier.
func (v *verifier) Check(number, sid, code string) protocol.Answer {
	return v.ask(protocol.Request{Action: protocol.Check, To: number, SID: sid, Code: code})
}

// Gone implements flow.Verifier.
func (v *verifier) Gone() bool { return v.wire.hostGone() }

// ask runs latchkey-twilio for one request. Whatever goes wrong is an answer that accepts nothing.
func (v *verifier) ask(r protocol.Request) protocol.Answer {
	left := min(requestTime, allRequests-v.spent)
	if left < spare {
		return failed(protocol.Timeout, "this login has used up its time for requests")
	}
	service, err := settings.Load(v.root, settings.DefaultPath)
	if err != nil {
		return failed(protocol.Refused, err.Error())
	}
	r.Version, r.Service, r.TimeoutMS = protocol.Version, service, int(left/time.Millisecond)
	text, err := protocol.EncodeRequest(r)
	if err != nil {
		return failed(protocol.Refused, err.Error())
	}
	began := v.clock()
	answer, err := v.run(text, left+spare)
	v.spent += v.clock().Sub(began)
	if err != nil {
		return failed(protocol.Failed, "latchkey-twilio: "+err.Error())
	}
	return answer
}

func failed(r protocol.Result, detail string) protocol.Answer {
	return protocol.Answer{Version: protocol.Version, Result: r, Detail: detail}
}

// run starts latchkey-twilio, gives it the request and takes the answer, all within limit, and leaves no process behind.
func (v *verifier) run(request []byte, limit time.Duration) (protocol.Answer, error) {
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
	child, err := v.start(in.read, out.write)
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
	text, err := v.collect(out.read, limit)
	if err != nil {
		return none, err
	}
	return protocol.DecodeAnswer(text)
}

// start starts latchkey-twilio as an unprivileged user, with an empty environment, its standard input and output and nothing
// else. It dies with us.
func (v *verifier) start(stdin, stdout int) (pid int, err error) {
	attr := &syscall.ProcAttr{Dir: "/", Env: []string{}, Files: []uintptr{uintptr(stdin), uintptr(stdout)}}
	attr.Sys = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		uid, gid := v.unprivileged()
		attr.Sys.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	program := v.root + libexec + "/latchkey-twilio"
	return syscall.ForkExec(program, []string{program}, attr)
}

// unprivileged finds latchkey-twilio's account where packages make it. No name service is asked: it is the network's.
func (v *verifier) unprivileged() (uid, gid uint32) {
	text, _ := os.ReadFile(v.root + "/etc/passwd")
	for line := range bytes.Lines(text) {
		fields := strings.Split(string(line), ":")
		if len(fields) < 4 || fields[0] != account {
			continue
		}
		u, err1 := strconv.ParseUint(fields[2], 10, 32)
		g, err2 := strconv.ParseUint(fields[3], 10, 32)
		if err1 == nil && err2 == nil && u != 0 && g != 0 {
			return uint32(u), uint32(g)
		}
	}
	return nobody, nobody
}

// collect reads the answer to its end. It stops at the limit, at the longest message, and when the host goes away.
func (v *verifier) collect(fd int, limit time.Duration) ([]byte, error) {
	var text []byte
	buf := make([]byte, 4096)
	for until := v.clock().Add(limit); len(text) <= protocol.MaxMessage; {
		left := until.Sub(v.clock())
		if left <= 0 {
			return nil, errors.New("no answer in time")
		}
		poll := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}, {Fd: int32(v.wire.fd), Events: unix.POLLRDHUP}}
		if _, err := unix.Poll(poll, int(left/time.Millisecond)+1); err != nil && err != unix.EINTR {
			return nil, err
		}
		if poll[1].Revents != 0 && v.wire.hostGone() {
			return nil, errors.New("the host is gone")
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

// pipe is a pipe whose ends are closed once.
type pipe struct{ read, write int }

func newPipe() (*pipe, error) {
	var ends [2]int
	if err := unix.Pipe2(ends[:], unix.O_CLOEXEC); err != nil {
		return nil, os.NewSyscallError("pipe2", err)
	}
	return &pipe{ends[0], ends[1]}, nil
}

func (p *pipe) closeRead()  { closeOnce(&p.read) }
func (p *pipe) closeWrite() { closeOnce(&p.write) }
func (p *pipe) close()      { p.closeRead(); p.closeWrite() }

func closeOnce(fd *int) {
	if *fd >= 0 {
		unix.Close(*fd)
		*fd = -1
	}
}
