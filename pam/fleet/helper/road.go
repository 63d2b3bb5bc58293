package main

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"net/url"
	"time"

	"latchkey/pam/fleet/wire"
)

// connectTimeout bounds the TCP connection, so that a service that is down is told from one that
// is slow, well before the deadline.
const connectTimeout = 3 * time.Second

// road brings requests to services, and keeps the connection over which the last answer came.
type road struct {
	connect time.Duration // how long a service gets to accept a connection
	ca      string
	roots   *x509.CertPool
	kept    *connection
}

// trust makes these authorities, in PEM, the only ones that count.
func (r *road) trust(ca string) {
	if ca == r.ca && r.roots != nil {
		return
	}
	if r.kept != nil {
		r.kept.drop()
	}
	r.ca, r.roots, r.kept = ca, x509.NewCertPool(), nil
	r.roots.AppendCertsFromPEM([]byte(ca)) // without any, no service can be trusted
}

// take returns the connection that was kept, for a job that ends with ctx; nil if there is none
// that is still open.
func (r *road) take(ctx context.Context) *connection {
	kept := r.kept
	r.kept = nil
	switch {
	case kept == nil:
		return nil
	case kept.ended():
		kept.drop()
		return nil
	}
	kept.use(ctx)
	return kept
}

// keep keeps a connection for the next job, unless it is over.
func (r *road) keep(c *connection) {
	if c.release() {
		r.kept = c
	} else {
		c.drop()
	}
}

// ask brings a request to a service by the deadline, over the connection that was kept if that is
// the service's.
func (r *road) ask(ctx context.Context, service string, request []byte,
	kept *connection) result {
	if kept == nil || kept.service != service {
		return r.askAnew(ctx, service, request)
	}
	body, err := kept.exchange(request)
	if err == nil {
		return result{body: body, over: kept}
	}
	kept.drop()
	// It has ended just now, or the service has. It may have got the request before.
	got := r.askAnew(ctx, service, request)
	if got.err != nil {
		got.fault = wire.Unknown
	}
	return got
}

// askAnew brings a request to a service over a new connection.
func (r *road) askAnew(ctx context.Context, service string, request []byte) result {
	u, err := url.Parse(service)
	if err != nil {
		return failedWith(wire.Protocol, service, err)
	}
	until, _ := ctx.Deadline()
	short := time.Until(until) < r.connect
	conn, err := (&net.Dialer{Timeout: r.connect}).DialContext(ctx, "tcp", address(u))
	switch {
	case err != nil && short && isTimeout(err): // what it would have done with more is not known
		return failedWith(wire.Unknown, service, errors.New("there was no time left to reach it"))
	case err != nil:
		return failedWith(connecting(err), service, err)
	}
	c := newConnection(conn, service, u, r.roots)
	c.use(ctx)
	body, err := c.exchange(request)
	if err != nil {
		c.drop()
		return failedWith(talking(err), service, err)
	}
	return result{body: body, over: c}
}

func address(u *url.URL) string { return net.JoinHostPort(u.Hostname(), portOf(u)) }

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return "443"
}
