package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"latchkey/pam/fleet/wire"
)

// maxResponse is the longest answer with its HTTP header.
const maxResponse = wire.MaxMessage + 16<<10

// maxWords is how much of a service's words about a refusal is for the log.
const maxWords = 100

// connection is one to a service, for one exchange after the other.
type connection struct {
	*tls.Conn
	service string
	url     string
	whole   bool // the last exchange is complete, and the service expects another
	unuse   func() bool
}

func newConnection(conn net.Conn, service string, u *url.URL, roots *x509.CertPool) *connection {
	return &connection{service: service, url: u.String() + "/v1/ask",
		Conn: tls.Client(conn, &tls.Config{
			MinVersion: tls.VersionTLS13, RootCAs: roots, ServerName: u.Hostname(),
		})}
}

// use bounds the connection's next exchange by the deadline of ctx, and closes the connection if
// ctx is canceled before it is released.
func (c *connection) use(ctx context.Context) {
	until, _ := ctx.Deadline()
	c.SetDeadline(until)
	c.unuse = context.AfterFunc(ctx, func() {
		if errors.Is(ctx.Err(), context.Canceled) { // else the exchange is to end as a timeout
			c.drop()
		}
	})
}

// ended reports whether the service has ended the connection while no one used it, so that no
// request needs to be sent to find out.
func (c *connection) ended() (ended bool) {
	ended = true
	raw, err := c.NetConn().(syscall.Conn).SyscallConn()
	if err == nil {
		raw.Control(func(fd uintptr) {
			flags := unix.MSG_PEEK | unix.MSG_DONTWAIT
			_, _, err := unix.Recvfrom(int(fd), make([]byte, 1), flags)
			ended = err != unix.EAGAIN
		})
	}
	return ended
}

// drop closes the connection at once, without a word to the service.
func (c *connection) drop() { c.NetConn().Close() }

// release reports whether the connection is still open and fit for another exchange.
func (c *connection) release() bool { return c.whole && c.unuse() }

// exchange sends a request over the connection and takes the answer.
func (c *connection) exchange(request []byte) ([]byte, error) {
	c.whole = false
	if err := c.Handshake(); err != nil {
		return nil, &unsent{err}
	}
	post, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(request))
	if err != nil {
		return nil, &unsent{err}
	}
	post.Header.Set("Content-Type", "application/octet-stream")
	post.Header.Set("User-Agent", "latchkey-fleet")
	if err := post.Write(c); err != nil {
		return nil, err
	}
	return c.answer(post)
}

// answer reads what a service says. The status of an answer that it has signed is 200.
func (c *connection) answer(post *http.Request) ([]byte, error) {
	in := bufio.NewReader(io.LimitReader(c, maxResponse))
	response, err := http.ReadResponse(in, post)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, wire.MaxMessage+1))
	switch {
	case err != nil:
		return nil, err
	case response.StatusCode != http.StatusOK:
		return nil, &senseless{fmt.Sprintf("HTTP status %d: %s", response.StatusCode,
			strings.TrimSpace(string(body[:min(len(body), maxWords)])))}
	case len(body) == 0 || len(body) > wire.MaxMessage:
		return nil, &senseless{fmt.Sprintf("an answer of %d bytes", len(body))}
	}
	c.whole = !response.Close && in.Buffered() == 0
	return body, nil
}

// unsent is an error before any of the request was sent.
type unsent struct{ error }

func (u *unsent) Unwrap() error { return u.error }

// senseless is what a service says that cannot be its answer.
type senseless struct{ text string }

func (s *senseless) Error() string { return s.text }
