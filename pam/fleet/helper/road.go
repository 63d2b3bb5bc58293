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
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/fleet/wire"
)

// connectTimeout bounds the TCP connection, so that a service that is down is told from one that
// is slow, well before the deadline.
const connectTimeout = 3 * time.Second

// maxResponse is the longest answer with its HTTP header.
const maxResponse = wire.MaxMessage + 16<<10

// road brings a request to a service: one connection, one exchange.
type road struct {
	roots   *x509.CertPool
	request []byte
	connect time.Duration
}

func newRoad(j carrier.Job, connect time.Duration) *road {
	r := &road{roots: x509.NewCertPool(), request: j.Request, connect: connect}
	r.roots.AppendCertsFromPEM([]byte(j.CA)) // without any, no service can be trusted
	return r
}

// ask brings the request to a service by the deadline.
func (r *road) ask(ctx context.Context, service string) result {
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
	defer conn.Close()
	conn.SetDeadline(until)
	body, err := r.exchange(conn, u)
	if err != nil {
		return failedWith(talking(err), service, err)
	}
	return result{body: body}
}

func address(u *url.URL) string {
	port := u.Port()
	if port == "" {
		port = "443"
	}
	return net.JoinHostPort(u.Hostname(), port)
}

// exchange sends the request over a connection and takes the answer.
func (r *road) exchange(conn net.Conn, u *url.URL) ([]byte, error) {
	secure := tls.Client(conn, &tls.Config{
		MinVersion: tls.VersionTLS13, RootCAs: r.roots, ServerName: u.Hostname(),
	})
	if err := secure.Handshake(); err != nil {
		return nil, &unsent{err}
	}
	post, err := http.NewRequest(http.MethodPost, u.String()+"/v1/ask",
		bytes.NewReader(r.request))
	if err != nil {
		return nil, &unsent{err}
	}
	post.Close = true
	post.Header.Set("Content-Type", "application/octet-stream")
	post.Header.Set("User-Agent", "latchkey-fleet")
	if err := post.Write(secure); err != nil {
		return nil, err
	}
	return answer(io.LimitReader(secure, maxResponse), post)
}

// answer reads what a service says. The status of an answer that it has signed is 200.
func answer(in io.Reader, post *http.Request) ([]byte, error) {
	response, err := http.ReadResponse(bufio.NewReader(in), post)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, &senseless{fmt.Sprintf("HTTP status %d", response.StatusCode)}
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, wire.MaxMessage+1))
	switch {
	case err != nil:
		return nil, err
	case len(body) == 0 || len(body) > wire.MaxMessage:
		return nil, &senseless{fmt.Sprintf("an answer of %d bytes", len(body))}
	}
	return body, nil
}

// unsent is an error before any of the request was sent.
type unsent struct{ error }

func (u *unsent) Unwrap() error { return u.error }

// senseless is what a service says that cannot be its answer.
type senseless struct{ text string }

func (s *senseless) Error() string { return s.text }
