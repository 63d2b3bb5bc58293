package fleet_test

import (
	"net"
	"sync"
	"testing"
	"time"

	"latchkey/sshd/fleet"
)

// relay is the way to a server, on a port of the server's own address, so that its certificate
// fits. It can be slow to bring what the server says, or hold it back.
type relay struct {
	to, addr string

	mu    sync.Mutex
	delay time.Duration // of what the server says
	held  chan struct{} // closed when that is lost; nil: it is not held back
}

// newRelay opens a relay to a server at an address.
func newRelay(t *testing.T, to string) *relay {
	t.Helper()
	host, _, err := net.SplitHostPort(to)
	must(t, err)
	listen, err := net.Listen("tcp", net.JoinHostPort(host, "0"))
	must(t, err)
	r := &relay{to: to, addr: listen.Addr().String()}
	t.Cleanup(func() { _ = listen.Close() })
	go func() {
		for {
			conn, err := listen.Accept()
			if err != nil {
				return
			}
			go r.carry(conn)
		}
	}()
	return r
}

func (r *relay) carry(dialed net.Conn) {
	defer dialed.Close()
	served, err := net.Dial("tcp", r.to)
	if err != nil {
		return
	}
	defer served.Close()
	ended := make(chan struct{}, 2)
	pass := func(to, from net.Conn, wait func() (bring bool)) {
		defer func() { ended <- struct{}{} }()
		buffer := make([]byte, 32<<10)
		for {
			n, err := from.Read(buffer)
			if !wait() {
				return
			}
			if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
				return
			}
		}
	}
	go pass(served, dialed, func() bool { return true })
	go pass(dialed, served, r.wait)
	<-ended
}

// wait is before something that the server says is brought, unless it was held back.
func (r *relay) wait() (bring bool) {
	r.mu.Lock()
	delay := r.delay
	r.mu.Unlock()
	time.Sleep(delay)
	r.mu.Lock()
	held := r.held
	r.mu.Unlock()
	if held != nil {
		<-held
	}
	return held == nil
}

// slow sets how long what the server says takes.
func (r *relay) slow(delay time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.delay = delay
}

// hold holds back what the server says, also what is on its way.
func (r *relay) hold() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.held = make(chan struct{})
}

// drop loses what is held back, and all that comes after it, and ends the connections.
func (r *relay) drop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.held != nil {
		close(r.held)
	}
}

// through has a service reach one node of etcd only, over a relay.
func through(t *testing.T, f *fleet.Fleet, s *fleet.Service) *relay {
	t.Helper()
	node := f.Etcd.Nodes[0]
	r := newRelay(t, node.Endpoint()[len("https://"):])
	_, err := s.Script("sed -i 's,^etcd *=.*,etcd = [\"https://" + r.addr +
		"\"],' /etc/latchkey/fleetd.toml")
	must(t, err)
	if s.Runs() {
		must(t, s.Kill())
	}
	must(t, s.Start())
	must(t, f.Ready())
	return r
}
