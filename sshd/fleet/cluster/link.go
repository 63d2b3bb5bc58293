package cluster

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

// link is the way of the other nodes to one node. It holds back what comes from a node that is cut
// off or goes to one: nothing is lost and no connection closes, as on a network that drops
// packets.
type link struct {
	cluster  *Cluster
	to       *Node
	listener net.Listener

	mu    sync.Mutex
	conns map[net.Conn]bool
	done  chan struct{}
}

func (c *Cluster) listen(to *Node) (*link, error) {
	listener, err := net.Listen("tcp", fmt.Sprintf("%s:%d", to.address, to.port+1))
	if err != nil {
		return nil, err
	}
	l := &link{cluster: c, to: to, listener: listener, conns: map[net.Conn]bool{},
		done: make(chan struct{})}
	go l.accept()
	return l, nil
}

func (l *link) accept() {
	for {
		conn, err := l.listener.Accept()
		if err != nil {
			return
		}
		go l.carry(conn)
	}
}

// carry joins a connection to the node, both ways.
func (l *link) carry(dialed net.Conn) {
	defer l.keep(dialed)()
	from := l.cluster.dialer(dialed.RemoteAddr().(*net.TCPAddr).Port)
	l.wait(from)
	served, err := net.Dial("tcp", l.to.inside())
	if err != nil {
		return
	}
	defer l.keep(served)()
	var both sync.WaitGroup
	both.Go(func() { l.copy(served, dialed, from) })
	both.Go(func() { l.copy(dialed, served, from) })
	both.Wait()
}

// keep remembers a connection, so that close can end it; what it returns closes it.
func (l *link) keep(conn net.Conn) func() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.conns[conn] = true
	return func() {
		_ = conn.Close()
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.conns, conn)
	}
}

// copy ends both connections when one ends.
func (l *link) copy(to, from net.Conn, dialer *Node) {
	defer to.Close()
	defer from.Close()
	buffer := make([]byte, 32<<10)
	for {
		n, err := from.Read(buffer)
		l.wait(dialer)
		if _, failed := to.Write(buffer[:n]); failed != nil || err != nil {
			return
		}
	}
}

// wait returns as soon as neither end is cut off, or the link is closed.
func (l *link) wait(from *Node) {
	for l.to.Isolated() || from != nil && from.Isolated() {
		select {
		case <-l.done:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func (l *link) close() {
	_ = l.listener.Close()
	close(l.done)
	l.mu.Lock()
	defer l.mu.Unlock()
	for conn := range l.conns {
		_ = conn.Close()
	}
}

// Isolate cuts the node off from the others, in both directions; clients still reach it.
func (n *Node) Isolate() { n.setCut(true) }

// Join ends Isolate.
func (n *Node) Join() { n.setCut(false) }

func (n *Node) setCut(cut bool) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.cut = cut
}

// Isolated reports whether the node is cut off.
func (n *Node) Isolated() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.cut
}

// dialer is the node that owns the local end of a connection with that port, or nil.
func (c *Cluster) dialer(port int) *Node {
	inode, err := socketOf(port)
	if err != nil {
		return nil
	}
	for _, n := range c.Nodes {
		open, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", n.pid()))
		for _, fd := range open {
			if target, _ := os.Readlink(fd); target == "socket:["+inode+"]" {
				return n
			}
		}
	}
	return nil
}

// socketOf finds the inode of the socket whose local port is that, and which is connected.
func socketOf(port int) (string, error) {
	file, err := os.Open("/proc/net/tcp")
	if err != nil {
		return "", err
	}
	defer file.Close()
	table, err := io.ReadAll(file)
	for line := range strings.Lines(string(table)) {
		fields := strings.Fields(line)
		if len(fields) > 9 && strings.HasSuffix(fields[1], fmt.Sprintf(":%04X", port)) &&
			fields[9] != "0" {
			return fields[9], nil
		}
	}
	return "", errors.Join(err, fmt.Errorf("no socket has port %d", port))
}
