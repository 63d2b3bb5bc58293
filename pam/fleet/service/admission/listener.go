// Package admission keeps a service from more work than it can do in time. Connections are served
// in the order in which they came, few at a time, so that what is begun is done soon. Those whose
// turn does not come in time are closed before anything was done for them, and their hosts ask the
// next service.
package admission

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// Listener accepts connections for a server. A connection has its turn until its first answer, or
// until Twilio is asked; while a user types it only takes memory. Later questions of it take no
// turn, and like all others wait for Slots.
//
// Anyone can connect, so one whose question does not come soon loses its turn, and goes on without.
type Listener struct {
	net.Listener
	Refused atomic.Uint64 // connections

	limits  Limits
	failing func(error)
	turns   chan struct{} // holds a value for each connection that is served since its turn
	waiting chan arrival
	ended   chan struct{}
	open    atomic.Int64
}

// Limits are how much a service does at a time.
type Limits struct {
	Served       int           // connections
	Waiting      int           // connections whose turn has not come
	Open         int           // connections, with all that wait for the next question
	Transactions int           // with etcd
	Wait         time.Duration // the longest for a turn, and for a transaction
	Turn         time.Duration // the longest for the question to come, with a turn; less than Wait
}

// Default is what a service does at a time. A host gives up a question after 8 seconds, and asks
// three services until then if each refuses it. More transactions would only make etcd slower.
var Default = Limits{Served: 128, Waiting: 768, Open: 8192, Transactions: 64,
	Wait: 2 * time.Second, Turn: 1500 * time.Millisecond}

type arrival struct {
	net.Conn
	at time.Time
}

// Listen begins to accept connections, until inner is closed. failing is told why one could not be
// accepted, such as too many open files, and the next one is tried.
func Listen(inner net.Listener, limits Limits, failing func(error)) *Listener {
	l := &Listener{Listener: inner, limits: limits, failing: failing,
		turns: make(chan struct{}, limits.Served), waiting: make(chan arrival, limits.Waiting),
		ended: make(chan struct{})}
	go l.gather()
	return l
}

// rest is how long nothing is accepted after an error, which may last.
const rest = 100 * time.Millisecond

// gather lets connections wait, or closes those that are too many.
func (l *Listener) gather() {
	for {
		c, err := l.Listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			close(l.ended)
			return
		}
		if err != nil {
			l.failing(err)
			time.Sleep(rest)
			continue
		}
		select {
		case l.waiting <- arrival{c, time.Now()}:
		default:
			l.refuse(c)
		}
	}
}

// Accept implements net.Listener.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		select {
		case c := <-l.waiting:
			if l.hasTurn(c) {
				return l.serve(c.Conn), nil
			}
			l.refuse(c.Conn)
		case <-l.ended:
			l.end()
			return nil, net.ErrClosed
		}
	}
}

// hasTurn waits for a connection's turn, and reports whether it came in time.
func (l *Listener) hasTurn(c arrival) bool {
	left := l.limits.Wait - time.Since(c.at)
	if left < 0 || int(l.open.Load()) >= l.limits.Open {
		return false
	}
	late := time.NewTimer(left)
	defer late.Stop()
	select {
	case l.turns <- struct{}{}:
		return true
	case <-late.C:
		return false
	}
}

func (l *Listener) serve(c net.Conn) *conn {
	l.open.Add(1)
	served := &conn{Conn: c, of: l, turn: true}
	served.late = time.AfterFunc(l.limits.Turn, served.giveUp)
	return served
}

// end closes the connections that wait.
func (l *Listener) end() {
	for {
		select {
		case c := <-l.waiting:
			l.refuse(c.Conn)
		default:
			return
		}
	}
}

// refuse ends a connection so that the other side hears of it at once, and nothing of it stays.
func (l *Listener) refuse(c net.Conn) {
	l.Refused.Add(1)
	if t, ok := c.(*net.TCPConn); ok {
		t.SetLinger(0)
	}
	c.Close()
}

// Crowded reports whether more than half of the connections that may be open are: then none should
// be kept.
func (l *Listener) Crowded() bool { return int(l.open.Load()) > l.limits.Open/2 }

// Follow is an http.Server's ConnState.
func (l *Listener) Follow(c net.Conn, state http.ConnState) {
	if state == http.StateIdle {
		accepted(c).giveUp()
	}
}

// conn is an accepted connection.
type conn struct {
	net.Conn
	of     *Listener
	late   *time.Timer // until its question has come
	mutex  sync.Mutex
	turn   bool // it has one
	closed bool
}

// accepted is the connection below TLS; nil if it is of another listener.
func accepted(c net.Conn) *conn {
	if t, ok := c.(*tls.Conn); ok {
		c = t.NetConn()
	}
	of, _ := c.(*conn)
	return of
}

// giveUp lets another connection have its turn. This one keeps what it has begun.
func (c *conn) giveUp() {
	if c == nil {
		return
	}
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if c.turn {
		c.turn = false
		<-c.of.turns
	}
}

// Close implements net.Conn.
func (c *conn) Close() error {
	c.late.Stop()
	c.giveUp()
	c.mutex.Lock()
	defer c.mutex.Unlock()
	if !c.closed {
		c.closed = true
		c.of.open.Add(-1)
	}
	return c.Conn.Close()
}

type key struct{}

// Note is an http.Server's ConnContext.
func Note(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, key{}, accepted(c))
}

func noted(ctx context.Context) *conn {
	c, _ := ctx.Value(key{}).(*conn)
	return c
}

// Asked says that the question of ctx has come.
func Asked(ctx context.Context) {
	if c := noted(ctx); c != nil {
		c.late.Stop()
	}
}

// Outside says that the question of ctx waits for others than etcd, so that another connection may
// have its turn.
func Outside(ctx context.Context) { noted(ctx).giveUp() }
