package testfleet

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/service"
	"latchkey/pam/testroot"
	"latchkey/sshd/fleet/certs"
	"latchkey/sshd/poll"
)

// child says, in the environment, that this process is a service that ends at a moment; its value
// is a file.
const child = "LATCHKEY_TEST_SERVICE"

// order is what such a process is to do.
type order struct {
	Secret, Dir, Addr string
	Endpoints         []string
	EtcdCA, Cert, Key string
	TLSCert, TLSKey   []byte
	Op, Moment        string
	Watch             Watch
}

// Process starts a service in a process of its own, which ends like in a power failure at a moment
// of an operation, and returns its address. The test binary's TestMain must be Main.
func (f *Fleet) Process(t testing.TB, op, moment string) string {
	t.Helper()
	dir := t.TempDir()
	testroot.Must(t, os.Chmod(dir, 0o700))
	listen, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	addr := listen.Addr().String()
	socket, err := listen.(*net.TCPListener).File()
	testroot.Must(t, err)
	defer socket.Close()
	testroot.Must(t, listen.Close()) // the process gets the socket
	pair, err := f.Authority.Issue(certs.Wanted{Name: "killed", Hosts: []string{"127.0.0.1"}})
	testroot.Must(t, err)
	text, err := json.Marshal(order{string(f.Secret.Format()), dir, addr, f.Etcd.Endpoints(),
		f.Etcd.CA, f.Etcd.Cert, f.Etcd.Key, pair.Certificate, pair.Key, op, moment, f.watch})
	testroot.Must(t, err)
	file := filepath.Join(dir, "order")
	testroot.Write(t, file, text)
	self, err := os.Executable()
	testroot.Must(t, err)
	run := exec.Command(self)
	run.Env, run.Stderr = append(os.Environ(), child+"="+file), f.Logs
	run.ExtraFiles = []*os.File{socket}
	run.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	testroot.Must(t, run.Start())
	t.Cleanup(func() {
		run.Process.Kill()
		run.Wait()
	})
	waitFor(t, addr)
	return addr
}

// waitFor waits until something listens at an address.
func waitFor(t testing.TB, addr string) {
	t.Helper()
	testroot.Must(t, poll.Until("a service", time.Minute, func() error {
		conn, err := net.Dial("tcp", addr)
		if err == nil {
			conn.Close()
		}
		return err
	}))
}

func processName(addr string) string {
	_, port, _ := net.SplitHostPort(addr)
	return "process" + port
}

// serveChild is the whole life of the process.
func serveChild(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var o order
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	key, err := secret.Parse([]byte(o.Secret))
	if err != nil {
		return err
	}
	pair, err := tls.X509KeyPair(o.TLSCert, o.TLSKey)
	if err != nil {
		return err
	}
	etcd, err := etcdTLS(o.EtcdCA, o.Cert, o.Key)
	if err != nil {
		return err
	}
	listen, err := net.FileListener(os.NewFile(3, o.Addr))
	if err != nil {
		return err
	}
	c := service.Config{Name: processName(o.Addr), Listen: listen, Dir: o.Dir,
		HostLimits: generous, Patience: patience,
		Verifier:    func() authority.Verifier { return NoPhones{} },
		Certificate: func() (*tls.Certificate, error) { return &pair, nil },
		Log:         slog.New(slog.NewTextHandler(os.Stderr, nil))}
	c.Store.Endpoints, c.Store.TLS, c.Store.Secret, c.Store.Clock = o.Endpoints, etcd, key, o.Watch.Now
	c.Store.Point = func(op, moment string) {
		if op == o.Op && moment == o.Moment {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	if _, err := service.Start(c); err != nil {
		return err
	}
	select {}
}

// runChild ends the process if it is such a service.
func runChild() {
	if file := os.Getenv(child); file != "" {
		fmt.Fprintln(os.Stderr, serveChild(file))
		os.Exit(1)
	}
}
