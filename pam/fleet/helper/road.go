package main

import (
	"context"
	"crypto/x509"
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
	found
}

// found is what a job finds: neither, or one of them.
type found struct {
	kept    *connection // over which the last answer came
	opening *opening
}

// trust makes these authorities, in PEM, the only ones that count.
func (r *road) trust(ca string) {
	if ca == r.ca && r.roots != nil {
		return
	}
	if r.kept != nil {
		r.kept.drop()
	}
	r.ca, r.roots, r.found = ca, x509.NewCertPool(), found{}
	r.roots.AppendCertsFromPEM([]byte(ca)) // without any, no service can be trusted
}

// take returns what there is for a job that ends with ctx. A connection that was kept is still open.
func (r *road) take(ctx context.Context) found {
	f := r.found
	r.found = found{}
	switch {
	case f.kept == nil:
	case f.kept.ended():
		f.kept.drop()
		f.kept = nil
	default:
		f.kept.use(ctx)
	}
	return f
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
func (r *road) ask(ctx context.Context, service string, request []byte, f found) result {
	if f.kept == nil || f.kept.service != service {
		return r.askAnew(ctx, service, request, f.opening)
	}
	body, err := f.kept.exchange(request)
	if err == nil {
		return result{body: body, over: f.kept}
	}
	f.kept.drop()
	// It has ended just now, or the service has. It may have got the request before.
	got := r.askAnew(ctx, service, request, nil)
	if got.err != nil {
		got.fault = wire.Unknown
	}
	return got
}

// askAnew brings a request to a service over a new connection: the opening's if that is the
// service's.
func (r *road) askAnew(ctx context.Context, service string, request []byte, o *opening) result {
	c, failed := r.connection(ctx, service, o)
	if c == nil {
		return failed
	}
	c.use(ctx)
	body, err := c.exchange(request)
	if err != nil {
		c.drop()
		return failedWith(talking(err), service, err)
	}
	return result{body: body, over: c}
}

func (r *road) connection(ctx context.Context, service string, o *opening) (*connection, result) {
	if o != nil && o.service == service {
		return o.wait(ctx)
	}
	return r.dial(ctx, service)
}

func address(u *url.URL) string { return net.JoinHostPort(u.Hostname(), portOf(u)) }

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return "443"
}
