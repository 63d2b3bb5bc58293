package main

import (
	"context"
	"errors"
	"net"
	"net/url"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/fleet/wire"
)

// opening is a connection that is made before there is a request. What becomes of it is the same as
// if it were made for the job.
type opening struct {
	service string
	made    chan struct{} // closed once it is made, or cannot be
	c       *connection
	failed  result // if it cannot be
}

// open begins a connection to the job's first service, and its handshake.
func (r *road) open(job carrier.Job) {
	r.trust(job.CA)
	o := &opening{service: job.Services[0], made: make(chan struct{})}
	r.opening = o
	now := *r // the next job may trust others
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), job.Deadline())
		defer cancel()
		o.c, o.failed = now.dial(ctx, o.service)
		close(o.made)
		if o.c != nil {
			o.c.Handshake() // an error of it is the exchange's too
		}
	}()
}

// dial makes a TCP connection to a service, which gets the time connect to accept it.
func (r *road) dial(ctx context.Context, service string) (*connection, result) {
	u, err := url.Parse(service)
	if err != nil {
		return nil, failedWith(wire.Protocol, service, err)
	}
	until, _ := ctx.Deadline()
	short := time.Until(until) < r.connect
	conn, err := (&net.Dialer{Timeout: r.connect}).DialContext(ctx, "tcp", address(u))
	switch {
	case err != nil && short && isTimeout(err): // what it would have done with more is not known
		return nil, failedWith(wire.Unknown, service, errNoTime)
	case err != nil:
		return nil, failedWith(connecting(err), service, err)
	}
	conn.SetDeadline(until)
	return newConnection(conn, service, u, r.roots), result{}
}

var errNoTime = errors.New("there was no time left to reach it")

// wait returns the connection once it is made, if that is by the end of ctx.
func (o *opening) wait(ctx context.Context) (*connection, result) {
	select {
	case <-o.made:
		return o.c, o.failed
	case <-ctx.Done():
		go o.drop()
		return nil, failedWith(wire.Unknown, o.service, errNoTime)
	}
}

// drop closes the connection if it is ever made.
func (o *opening) drop() {
	if <-o.made; o.c != nil {
		o.c.drop()
	}
}
