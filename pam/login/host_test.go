package main_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	login "latchkey/pam/login"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/testroot"
)

// bound is how long these tests wait for a program that hangs before they fail.
const bound = time.Minute

// uid is alice's.
const uid = 1000

// home is where the program and its root are: a path short enough for a socket address.
var home = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "lk")
	if err != nil {
		panic(err)
	}
	return dir
})

func TestMain(m *testing.M) {
	testroot.Main(m, testroot.Roles{"login": play}, func() { os.RemoveAll(home()) })
}

// play is a role: the program itself. Its argument is the root.
func play(args []string) error {
	login.Run(0, args[0], time.Now)
	return nil
}

// program builds latchkey-login, once, with home/root as its root.
var program = sync.OnceValues(func() (string, error) {
	return built("latchkey-login", "latchkey/pam/login")
})

// enroller builds latchkey-enroll for the same root, where that login program looks for it.
var enroller = sync.OnceValues(func() (string, error) {
	return built("latchkey-enroll", "latchkey/enroll/firstlogin")
})

func built(name, pkg string) (string, error) {
	path := filepath.Join(home(), name)
	flags := "-X main.root=" + home() + "/root -X main.enrollProgram=" +
		filepath.Join(home(), "latchkey-enroll")
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", flags, "-o", path, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	return path, errors.Join(err, nonempty(out))
}

func nonempty(out []byte) error {
	if len(out) == 0 {
		return nil
	}
	return errors.New(string(out))
}

// host is a host with a logger and one user, alice, who has a phone.
type host struct {
	t     *testing.T
	root  testroot.Root
	phone record.Device
	log   *net.UnixConn
}

// newHost makes the one root afresh, so tests that use it do not run in parallel.
func newHost(t *testing.T, policy string) *host {
	t.Helper()
	h := &host{t: t, root: testroot.Root(home() + "/root"), phone: testroot.TOTP("phone")}
	testroot.Must(t, os.RemoveAll(string(h.root)))
	h.root.Fill(t)
	h.root.Policy(t, policy)
	h.phone.Period = 24 * time.Hour // no step ends during a test
	h.root.Enroll(t, "alice", uid, h.phone)
	var err error
	h.log, err = net.ListenUnixgram("unixgram",
		&net.UnixAddr{Name: h.root.Join("dev/log"), Net: "unixgram"})
	testroot.Must(t, err)
	t.Cleanup(func() { h.log.Close() })
	return h
}

func (h *host) code() string  { return testroot.Code(h.t, h.phone, time.Now()) }
func (h *host) wrong() string { return testroot.WrongCode(h.t, time.Now(), h.phone) }

// line receives the next line that was logged.
func (h *host) line() string {
	h.t.Helper()
	testroot.Must(h.t, h.log.SetReadDeadline(time.Now().Add(bound)))
	buf := make([]byte, 65536)
	n, err := h.log.Read(buf)
	testroot.Must(h.t, err)
	return string(buf[:n])
}

// logged checks that a line matches a pattern, after its priority.
func (h *host) logged(pattern string) {
	h.t.Helper()
	line := h.line()
	if !regexp.MustCompile(`^<8[45]>latchkey: ` + pattern + `$`).MatchString(line) {
		h.t.Errorf("the log has\n%s, not\n%s", line, pattern)
	}
}

// silent checks that nothing else was logged.
func (h *host) silent() {
	h.t.Helper()
	raw, err := h.log.SyscallConn()
	testroot.Must(h.t, err)
	testroot.Must(h.t, h.log.SetReadDeadline(time.Time{}))
	buf := make([]byte, 65536)
	testroot.Must(h.t, raw.Read(func(fd uintptr) bool {
		if n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT); err != unix.EAGAIN {
			h.t.Errorf("the log has %q too, %v", buf[:max(n, 0)], err)
		}
		return true
	}))
}

// environment is the one that the gate passes.
var environment = []string{
	"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL=C", "GOGC=off", "GOMAXPROCS=1",
	"GOTRACEBACK=none",
}

// gate is the gate's side of one login.
type gate struct {
	t     *testing.T
	fd    int
	cmd   *exec.Cmd
	ended chan struct{}
}

// start starts the program as the gate does, behind a prefix such as strace's.
func (h *host) start(prefix []string, extra ...string) *gate {
	h.t.Helper()
	path, err := program()
	testroot.Must(h.t, err)
	line := append(prefix[:len(prefix):len(prefix)], path)
	cmd := exec.Command(line[0], line[1:]...)
	cmd.Env = append(environment[:len(environment):len(environment)], extra...)
	return h.begin(cmd)
}

// startRole starts the same login as a role of the test binary, on one thread, so that strace
// counts its system calls.
func (h *host) startRole(prefix []string) *gate {
	h.t.Helper()
	return h.begin(testroot.Role(prefix, "login", string(h.root)))
}

func (h *host) begin(cmd *exec.Cmd) *gate {
	h.t.Helper()
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_SEQPACKET|unix.SOCK_CLOEXEC, 0)
	testroot.Must(h.t, err)
	testroot.Must(h.t,
		unix.SetsockoptTimeval(pair[0], unix.SOL_SOCKET, unix.SO_RCVTIMEO,
			&unix.Timeval{Sec: int64(bound / time.Second)}))
	g := &gate{t: h.t, fd: pair[0], cmd: cmd, ended: make(chan struct{})}
	theirs := os.NewFile(uintptr(pair[1]), "socket")
	g.cmd.Stdin = theirs
	err = g.cmd.Start()
	theirs.Close()
	testroot.Must(h.t, err)
	go func() {
		g.cmd.Wait()
		close(g.ended)
	}()
	h.t.Cleanup(g.stop)
	return g
}

// login starts the program and sends the hello for alice.
func (h *host) login(args ...string) *gate {
	h.t.Helper()
	g := h.start(nil)
	g.send("H" + hello("alice", args...))
	return g
}

func hello(user string, args ...string) string {
	text := fmt.Sprintf("2\x00user=%s\x00name=%s\x00uid=%d\x00service=sshd\x00"+
		"rhost=192.0.2.7\x00auth_info=\x00",
		user, user, uid)
	for _, arg := range args {
		text += "arg=" + arg + "\x00"
	}
	return text
}

func (g *gate) send(frame string) {
	g.t.Helper()
	if err := g.trySend(frame); err != nil {
		g.t.Fatalf("sending %.40q: %v", frame, err)
	}
}

// trySend is for programs that may be dead already.
func (g *gate) trySend(frame string) error {
	return unix.Sendto(g.fd, []byte(frame), unix.MSG_NOSIGNAL, nil)
}

// receive returns the next frame, "" at the end of file.
func (g *gate) receive() (frame string, err error) {
	buf := make([]byte, 65536)
	for {
		n, err := unix.Read(g.fd, buf)
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return "", err
		}
		return string(buf[:n]), nil
	}
}

// expect checks the next frame.
func (g *gate) expect(want string) {
	g.t.Helper()
	if frame, err := g.receive(); frame != want || err != nil {
		g.t.Fatalf("received %q, %v, not %q", frame, err, want)
	}
}

// verdict checks that a verdict follows, and then the end.
func (g *gate) verdict(want string) {
	g.t.Helper()
	g.expect("V2 " + want)
	g.expect("")
	g.end()
}

// hangUp acts as the death of the host.
func (g *gate) hangUp() {
	unix.Close(g.fd)
	g.fd = -1
}

// end waits for the program to end by itself.
func (g *gate) end() {
	g.t.Helper()
	select {
	case <-g.ended:
	case <-time.After(bound):
		g.t.Fatal("the program does not end")
	}
}

func (g *gate) stop() {
	if g.fd >= 0 {
		g.hangUp()
	}
	testroot.KillTraced(g.cmd.Process.Pid)
	g.cmd.Process.Kill()
	<-g.ended
}

// free checks that no process holds alice's lock.
func (h *host) free() {
	h.t.Helper()
	keyring := h.root.KeyringWaiting(safefile.Patience{})
	account, err := keyring.Open(record.User{Name: "alice", UID: uid})
	if err != nil {
		h.t.Errorf("the lock is not free: %v", err)
		return
	}
	account.Close()
}

// The prompts in these tests.
const (
	prompt      = "QFrom your app. Verification code: "
	wrongPrompt = "QNot accepted. From your app. Verification code: "
)
