package main_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	notify "latchkey/pam/notify"
	"latchkey/pam/notify/event"
	"latchkey/pam/testroot"
)

func TestMain(m *testing.M) { testroot.Main(m, testroot.Roles{"notify": play}) }

// play is latchkey-notify as a role. Its arguments are the root and three bounds.
func play(args []string) error {
	var b [3]time.Duration
	for i := range b {
		var err error
		if b[i], err = time.ParseDuration(args[i+1]); err != nil {
			return err
		}
	}
	os.Exit(notify.Run(args[0], b[0], b[1], b[2]))
	return nil
}

// Bounds of tests: ample ones for a program that ends by itself, and short ones for one that
// hangs.
var (
	ample = []string{"60s", "60s", "60s"}
	short = []string{"20s", "300ms", "20s"}
)

// account is the uid and gid of latchkey on test hosts.
const account = 54321

// host is a root with a logger, the account latchkey, and a program.
type host struct {
	t    *testing.T
	root testroot.Root
	log  *net.UnixConn
}

// program is the path of the program below the root.
const program = "/opt/tell"

// newHost returns a host whose program is a shell script. It can write into out.
func newHost(t *testing.T, script string) *host {
	t.Helper()
	dir, err := os.MkdirTemp("", "lk")
	testroot.Must(t, err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	h := &host{t: t, root: testroot.Root(dir)}
	h.root.Fill(t)
	for _, name := range []string{"opt", "out"} {
		testroot.Must(t, os.Mkdir(h.root.Join(name), 0o755))
	}
	testroot.Must(t, os.Chmod(h.root.Join("out"), 0o1777))
	passwd := fmt.Sprintf("root:x:0:0::/:/bin/sh\nlatchkey:x:%d:%d::/:/usr/sbin/nologin\n",
		account, account)
	testroot.Must(t, os.WriteFile(h.root.Join("etc/passwd"), []byte(passwd), 0o644))
	testroot.Executable(t, h.root.Join(program),
		[]byte("#!/bin/sh\ncd "+h.root.Join("out")+"\n"+script+"\n"))
	testroot.Must(t, os.Chmod(h.root.Join(program), 0o755))
	h.log, err = net.ListenUnixgram("unixgram",
		&net.UnixAddr{Name: h.root.Join("dev/log"), Net: "unixgram"})
	testroot.Must(t, err)
	t.Cleanup(func() { h.log.Close() })
	return h
}

// an returns an event of that kind about alice.
func an(kind event.Kind) event.Event {
	e := event.New(kind, testroot.Noon)
	e.User, e.Service, e.From, e.Method, e.Device = "alice", "sshd", "192.0.2.7", "totp", "phone"
	return e
}

// command returns latchkey-notify with a job of these events.
func (h *host) command(bounds []string, events ...event.Event) *exec.Cmd {
	h.t.Helper()
	job, err := event.Job{Program: program, Events: events}.Encode()
	testroot.Must(h.t, err)
	cmd := testroot.Role(nil, "notify", append([]string{string(h.root)}, bounds...)...)
	cmd.Stdin = strings.NewReader(string(job))
	return cmd
}

// tell runs it to its end.
func (h *host) tell(bounds []string, events ...event.Event) {
	h.t.Helper()
	out, err := h.command(bounds, events...).CombinedOutput()
	if _, exited := err.(*exec.ExitError); err != nil && !exited || len(out) > 0 {
		h.t.Fatalf("latchkey-notify: %v: %s", err, out)
	}
}

// out returns what the program wrote into a file.
func (h *host) out(name string) string {
	h.t.Helper()
	text, err := os.ReadFile(filepath.Join(h.root.Join("out"), name))
	testroot.Must(h.t, err)
	return string(text)
}

// lines returns all that was logged so far.
func (h *host) lines() (all []string) {
	h.t.Helper()
	raw, err := h.log.SyscallConn()
	testroot.Must(h.t, err)
	buf := make([]byte, 65536)
	testroot.Must(h.t, raw.Read(func(fd uintptr) bool {
		for {
			n, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
			if err != nil {
				return true
			}
			all = append(all, string(buf[:n]))
		}
	}))
	return all
}

// logged checks that exactly one line was logged, which says that the kind was not told, and why.
func (h *host) logged(kind event.Kind, why string) {
	h.t.Helper()
	lines := h.lines()
	start := fmt.Sprintf(`<84>latchkey: untold=%s user="alice" program="%s" detail="`,
		kind, program)
	if len(lines) != 1 || !strings.HasPrefix(lines[0], start) || !strings.Contains(lines[0], why) {
		h.t.Errorf("the log has %q, want one line %s…%s…", lines, start, why)
	}
}

// silent checks that nothing was logged.
func (h *host) silent() {
	h.t.Helper()
	if lines := h.lines(); len(lines) > 0 {
		h.t.Errorf("the log has %q, want nothing", lines)
	}
}
