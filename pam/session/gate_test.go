package session

import (
	"errors"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/flow/verdict"
	"latchkey/pam/testroot"
)

// uid is alice's.
const uid = 1000

// clock is a clock that only moves when a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) read() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// host is a host with a logger.
type host struct {
	t     *testing.T
	root  testroot.Root
	clock *clock
	log   *net.UnixConn
}

// newHost makes a host whose root has a path short enough for a socket address.
func newHost(t *testing.T) *host {
	t.Helper()
	dir, err := os.MkdirTemp("", "lk")
	testroot.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := &host{t: t, root: testroot.Root(dir), clock: &clock{now: testroot.Noon}}
	h.root.Fill(t)
	h.root.Policy(t, "")
	h.log, err = net.ListenUnixgram("unixgram",
		&net.UnixAddr{Name: h.root.Join("dev/log"), Net: "unixgram"})
	testroot.Must(t, err)
	t.Cleanup(func() { h.log.Close() })
	return h
}

// logged returns the lines that were logged, each of which is in the queue once Run has returned.
func (h *host) logged() (lines []string) {
	h.t.Helper()
	buf := make([]byte, 65536)
	conn, err := h.log.SyscallConn()
	testroot.Must(h.t, err)
	testroot.Must(h.t, conn.Read(func(fd uintptr) bool {
		for {
			n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
			if err != nil {
				return true
			}
			lines = append(lines, string(buf[:n]))
		}
	}))
	return lines
}

// wantLog checks that exactly one line was logged, and what is in it.
func (h *host) wantLog(parts ...string) {
	h.t.Helper()
	lines := h.logged()
	if len(lines) != 1 {
		h.t.Fatalf("logged %q, want one line", lines)
	}
	for _, part := range parts {
		if !strings.Contains(lines[0], part) {
			h.t.Errorf("logged %q, want %q in it", lines[0], part)
		}
	}
}

// gate is the gate's side of one login that runs in this process.
type gate struct {
	t      *testing.T
	fd     int
	status chan int
}

// sockets returns the gate's end of a socket, on which no test waits for ever, and the login's.
func sockets(t *testing.T) (ours, theirs int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	testroot.Must(t, err)
	for _, fd := range fds {
		testroot.Must(t, unix.SetsockoptTimeval(fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO,
			&unix.Timeval{Sec: 60}))
	}
	return fds[0], fds[1]
}

// enrolls decides the login of a user who must enroll.
type enrolls func(Enrolling) verdict.Outcome

// begin runs a login. Without handed, its hello comes from the gate.
func (h *host) begin(handed []string, enroll enrolls) *gate {
	h.t.Helper()
	ours, theirs := sockets(h.t)
	g := &gate{t: h.t, fd: ours, status: make(chan int, 1)}
	h.t.Cleanup(g.hangUp)
	s := Session{
		FD: theirs, Root: string(h.root), Clock: h.clock.read, Hello: handed, Enroll: enroll,
	}
	go func() {
		status := s.Run()
		unix.Close(theirs)
		g.status <- status
	}()
	return g
}

func (g *gate) send(frame string) {
	g.t.Helper()
	testroot.Must(g.t, unix.Sendto(g.fd, []byte(frame), unix.MSG_NOSIGNAL, nil))
}

// receive returns the next frame; "" at the end.
func (g *gate) receive() string {
	g.t.Helper()
	buf := make([]byte, 65536)
	for {
		n, err := unix.Read(g.fd, buf)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		testroot.Must(g.t, err)
		return string(buf[:n])
	}
}

func (g *gate) expect(want string) {
	g.t.Helper()
	if got := g.receive(); got != want {
		g.t.Fatalf("got frame %q, want %q", got, want)
	}
}

// verdict checks the verdict, that nothing follows, and the exit status.
func (g *gate) verdict(want string) {
	g.t.Helper()
	g.expect("V2 " + want)
	g.expect("")
	g.exit(0)
}

func (g *gate) exit(want int) {
	g.t.Helper()
	if got := <-g.status; got != want {
		g.t.Errorf("got exit status %d, want %d", got, want)
	}
}

// hangUp acts as the death of the host.
func (g *gate) hangUp() {
	if g.fd >= 0 {
		unix.Close(g.fd)
	}
	g.fd = -1
}

// fields is the hello of a login of that user, without its version.
func fields(user string) []string {
	return []string{
		"user=" + user, "name=" + user, "uid=1000", "service=sshd", "rhost=192.0.2.7",
		"auth_info=",
	}
}

func helloFrame(fields ...string) string {
	return "H2\x00" + strings.Join(fields, "\x00") +
		"\x00"
}
