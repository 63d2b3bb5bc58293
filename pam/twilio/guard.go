package main

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
)

// guard stands between twilio-go and the network. No matter what twilio-go would ask or believe,
// only requests for our service leave, to our base URL, once each; and it only gets to see what
// Verify sends where all went well: 200 or 201, one JSON object, 64 KiB at most, all of it before
// the deadline. By itself twilio-go would take a redirect, trailing bytes or {} for an answer,
// repeat a failed request of an API of version 1, and has no deadline.
type guard struct {
	deadline context.Context
	next     http.RoundTripper
	base     *url.URL
	service  string // path of the service
	user     string
	password string
	clock    func() time.Time

	status int           // of the last answer
	skew   time.Duration // by which the other side's clock was ahead in the last answer
}

func newGuard(deadline context.Context, s access.Settings, clock func() time.Time) (*guard,
	error) {
	base, err := url.Parse(s.Base())
	if err != nil {
		return nil, err
	}
	transport, err := newTransport(s)
	if err != nil {
		return nil, err
	}
	user, password := credentials(s)
	return &guard{
		deadline: deadline, next: transport, base: base, service: "/v2/Services/" + s.ServiceSID,
		user: user, password: password, clock: clock,
	}, nil
}

// RoundTrip implements http.RoundTripper. Its errors are *failure.
func (g *guard) RoundTrip(r *http.Request) (*http.Response, error) {
	if !g.ours(r.URL) {
		return nil, &failure{result: protocol.Refused,
			detail: "a request that is not for the service"}
	}
	response, f := g.exchange(r)
	switch {
	case f == nil:
		return response, nil
	case f.result != protocol.Timeout && f.status < 400 && g.deadline.Err() != nil:
		// At the deadline our end closes the connection, to which a server may answer by ending
		// its answer in good order.
		return nil, &failure{result: protocol.Timeout, status: f.status,
			detail: "no whole answer in time"}
	}
	return nil, f
}

// exchange sends the request and reads all of the answer.
func (g *guard) exchange(r *http.Request) (*http.Response, *failure) {
	var connected atomic.Bool
	response, err := g.next.RoundTrip(g.outgoing(r, &connected))
	switch {
	case err != nil && !connected.Load():
		return nil, unconnected(err)
	case err != nil:
		return nil, broken(err)
	}
	defer response.Body.Close()
	g.look(response)
	return response, accept(response)
}

// ours reports whether twilio-go made the URL that it should.
func (g *guard) ours(u *url.URL) bool {
	below := u.Path == g.service || strings.HasPrefix(u.Path, g.service+"/")
	return u.Scheme == "https" && u.Host == "verify.twilio.com" && u.User == nil &&
		u.RawQuery == "" && below
}

// outgoing is r on its way to the base URL, with the credentials and with the deadline that
// twilio-go has no parameter for. It notes when there is a connection that can be trusted, which
// is when the request begins to leave.
func (g *guard) outgoing(r *http.Request, connected *atomic.Bool) *http.Request {
	trace := &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { connected.Store(true) }}
	out := r.Clone(httptrace.WithClientTrace(g.deadline, trace))
	out.URL.Scheme, out.URL.Host, out.Host = g.base.Scheme, g.base.Host, g.base.Host
	out.SetBasicAuth(g.user, g.password)
	return out
}

// look remembers what an answer says of itself.
func (g *guard) look(r *http.Response) {
	g.status, g.skew = r.StatusCode, 0
	if date, err := http.ParseTime(r.Header.Get("Date")); err == nil {
		g.skew = date.Sub(g.clock())
	}
}

// accept reads an answer's body into memory, or says why it is no answer.
func accept(r *http.Response) *failure {
	body, err := readBody(r.Body)
	switch {
	case r.StatusCode >= 400:
		return refused(r, body)
	case r.StatusCode != http.StatusOK && r.StatusCode != http.StatusCreated:
		return invalid(r.StatusCode, "the answer has the HTTP status %d", r.StatusCode)
	case err == errBody:
		return invalid(r.StatusCode, "%v", err)
	case err != nil:
		return broken(err)
	case !isJSON(r):
		return invalid(r.StatusCode, "the answer is not application/json")
	}
	if err := checkObject(body); err != nil {
		return invalid(r.StatusCode, "%v", err)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

// refused is the failure that an HTTP status from 400 on stands for. A body that is not Twilio's
// has no error number.
func refused(r *http.Response, body []byte) *failure {
	var e struct{ Code, Status int }
	if !isJSON(r) || checkObject(body) != nil || json.Unmarshal(body, &e) != nil ||
		e.Status != r.StatusCode || e.Code < 0 {
		e.Code = 0
	}
	return &failure{result: refusal(r.StatusCode, e.Code), status: r.StatusCode, code: e.Code,
		detail: "Verify refused the request"}
}

func isJSON(r *http.Response) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "application/json"
}
