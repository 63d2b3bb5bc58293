package cluster

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"latchkey/sshd/fleet/certs"
)

// Node is one member of a cluster.
type Node struct {
	Name    string
	cluster *Cluster
	place   Place
	// address is where clients and the links to this node listen, inner where the node listens
	// for its peers.
	address, inner string
	port           int

	mu      sync.Mutex
	process *exec.Cmd
	ended   chan struct{} // closed when the process is gone
	cut     bool
}

// prepare chooses the node's folder and writes its certificates.
func (n *Node) prepare(number int) error {
	dir := filepath.Join(n.cluster.dir, n.Name)
	n.place = Place{Path: dir, Seen: dir}
	if elsewhere := n.cluster.options.Elsewhere; elsewhere != nil {
		n.place = elsewhere[number]
	}
	if err := os.MkdirAll(n.place.Seen, 0o700); err != nil {
		return err
	}
	ca := filepath.Join(n.place.Seen, "ca.crt")
	if err := os.WriteFile(ca, n.cluster.Authority.PEM, 0o644); err != nil {
		return err
	}
	// A peer's address is compared with its certificate, and through a link it is 127.0.0.1.
	return n.cluster.Authority.Save(n.place.Seen, "node", certs.Wanted{Name: n.Name,
		Hosts: []string{n.address, n.inner, "127.0.0.1"}})
}

// Endpoint is the URL for clients.
func (n *Node) Endpoint() string { return fmt.Sprintf("https://%s:%d", n.address, n.port) }

func (n *Node) peer() string { return fmt.Sprintf("https://%s:%d", n.address, n.port+1) }

// inside is where the node listens for its peers, behind the link to it.
func (n *Node) inside() string { return net.JoinHostPort(n.inner, fmt.Sprint(n.port+1)) }

func (n *Node) metrics() string { return fmt.Sprintf("http://%s:%d", n.address, n.port+2) }

func (n *Node) log() string { return filepath.Join(n.place.Seen, "log") }

// command is an etcd or etcdctl where the node is.
func (n *Node) command(argv ...string) (*exec.Cmd, error) {
	if n.place.Enter != nil {
		argv = append(slices.Clone(n.place.Enter), argv...)
		return exec.Command(argv[0], argv[1:]...), nil
	}
	program, err := find(argv[0])
	return exec.Command(program, argv[1:]...), err
}

// Start runs the node, with the data it has.
func (n *Node) Start() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process != nil {
		return fmt.Errorf("etcd %s is running", n.Name)
	}
	log, err := os.OpenFile(n.log(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	cmd, err := n.command(n.args()...)
	if err != nil {
		return err
	}
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start etcd %s: %w", n.Name, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	n.process, n.ended = cmd, ended
	return nil
}

func (n *Node) args() []string {
	file := func(name string) string { return filepath.Join(n.place.Path, name) }
	args := []string{
		"etcd", "--name", n.Name, "--data-dir", file("data"), "--logger", "zap",
		"--log-outputs", "stderr", "--log-level", "warn",
		"--listen-client-urls", n.Endpoint(), "--advertise-client-urls", n.Endpoint(),
		"--listen-peer-urls", "https://" + n.inside(), "--initial-advertise-peer-urls", n.peer(),
		"--listen-metrics-urls", n.metrics(),
		"--initial-cluster", n.cluster.members(), "--initial-cluster-token", n.cluster.token,
		"--client-cert-auth", "--peer-client-cert-auth",
		"--trusted-ca-file", file("ca.crt"), "--peer-trusted-ca-file", file("ca.crt"),
		"--cert-file", file("node.crt"), "--key-file", file("node.key"),
		"--peer-cert-file", file("node.crt"), "--peer-key-file", file("node.key"),
	}
	if n.cluster.options.Quota != 0 {
		args = append(args, "--quota-backend-bytes", fmt.Sprint(n.cluster.options.Quota))
	}
	if !n.cluster.options.Sync && n.cluster.canSkipSync() {
		args = append(args, "--unsafe-no-fsync")
	}
	return args
}

// canSkipSync reports whether this version of etcd has --unsafe-no-fsync; 3.4 does not.
func (c *Cluster) canSkipSync() bool { return !strings.HasPrefix(c.Version, "3.4.") }

// version is what etcd says of itself, such as 3.4.23.
func (n *Node) version() (string, error) {
	cmd, err := n.command("etcd", "--version")
	if err != nil {
		return "", err
	}
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("ask etcd %s for its version: %w", n.Name, err)
	}
	line, _, _ := strings.Cut(string(out), "\n")
	_, version, found := strings.Cut(line, "etcd Version: ")
	if !found {
		return "", fmt.Errorf("etcd says %q of its version", line)
	}
	return version, nil
}

// Kill ends the node as a power failure does, and waits until it is gone.
func (n *Node) Kill() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return fmt.Errorf("etcd %s is not running", n.Name)
	}
	err := syscall.Kill(-n.process.Process.Pid, syscall.SIGKILL)
	<-n.ended
	n.process = nil
	return err
}

// Stop freezes the node; its connections stay open.
func (n *Node) Stop() error { return n.signal(syscall.SIGSTOP) }

// Continue ends Stop.
func (n *Node) Continue() error { return n.signal(syscall.SIGCONT) }

func (n *Node) signal(s syscall.Signal) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return fmt.Errorf("etcd %s is not running", n.Name)
	}
	return syscall.Kill(-n.process.Process.Pid, s)
}

func (n *Node) running() bool { return n.pid() != 0 }

func (n *Node) pid() int {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.process == nil {
		return 0
	}
	return n.process.Process.Pid
}

// asks are short, so that a frozen node does not hold up the search for a leader.
var asks = http.Client{Timeout: 5 * time.Second}

func (n *Node) leads() (bool, error) {
	text, err := n.get("/metrics")
	return strings.Contains(text, "\netcd_server_is_leader 1\n"), err
}

// healthy reports whether the node can read what the majority has.
func (n *Node) healthy() error {
	text, err := n.get("/health")
	if err == nil && !strings.Contains(text, `"health":"true"`) {
		err = errors.New(text)
	}
	return err
}

// Healthy reports whether the node has a leader and can read what the majority has.
func (n *Node) Healthy() bool { return n.healthy() == nil }

func (n *Node) get(path string) (string, error) {
	answer, err := asks.Get(n.metrics() + path)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	return string(text), err
}
