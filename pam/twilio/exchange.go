package main

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/twilio/twilio-go/client"
	verify "github.com/twilio/twilio-go/rest/verify/v2"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
)

// exchange is one request and what comes of it.
type exchange struct {
	request protocol.Request
	guard   *guard
	api     *verify.ApiService
}

// answer does what r asks for.
func answer(r protocol.Request, clock func() time.Time) protocol.Answer {
	deadline, cancel := context.WithTimeout(context.Background(), r.Timeout())
	defer cancel()
	g, err := newGuard(deadline, r.Service, clock)
	if err != nil {
		return protocol.Answer{Version: protocol.Version, Result: protocol.Certificate,
			Detail: line(r, err.Error())}
	}
	return newExchange(r, g).run()
}

// newExchange puts the guard below twilio-go. Its convenience constructors are avoided: they read
// TWILIO_EDGE and TWILIO_REGION. It gets no credentials, of which it would refuse any that are not
// letters and digits; the guard has them.
func newExchange(r protocol.Request, g *guard) exchange {
	c := &client.Client{Credentials: new(client.Credentials),
		HTTPClient: &http.Client{Transport: g, CheckRedirect: noRedirect}}
	return exchange{request: r, guard: g,
		api: verify.NewApiService(&client.RequestHandler{Client: c})}
}

func noRedirect(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }

// credentials are a user and a password.
func credentials(s access.Settings) (user, password string) {
	if s.AuthToken != "" {
		return s.AccountSID, s.AuthToken
	}
	return s.APIKey, s.APISecret
}

func (e exchange) run() protocol.Answer {
	switch e.request.Action {
	case protocol.Send:
		return e.send()
	case protocol.Check:
		return e.check()
	case protocol.Probe:
		return e.probe()
	}
	return e.because(&failure{result: protocol.Refused, detail: "unknown action"})
}

func (e exchange) send() protocol.Answer {
	params := new(verify.CreateVerificationParams).SetTo(e.request.To).SetChannel(
		string(e.request.Channel))
	if e.request.Locale != "" {
		params.SetLocale(e.request.Locale)
	}
	v, err := e.api.CreateVerification(e.request.Service.ServiceSID, params)
	if err != nil {
		return e.because(serviceGone(err))
	}
	return e.conclude(verification{v.Sid, v.ServiceSid, v.AccountSid, v.To, v.Status, v.Valid},
		started)
}

// check asks for the verification by its sid where it is known: by the number alone Twilio would
// check the code against whichever verification is pending by now.
func (e exchange) check() protocol.Answer {
	params := new(verify.CreateVerificationCheckParams).SetCode(e.request.Code)
	if e.request.SID != "" {
		params.SetVerificationSid(e.request.SID)
	} else {
		params.SetTo(e.request.To)
	}
	v, err := e.api.CreateVerificationCheck(e.request.Service.ServiceSID, params)
	if err != nil {
		return e.because(err)
	}
	return e.conclude(verification{v.Sid, v.ServiceSid, v.AccountSid, v.To, v.Status, v.Valid},
		checked)
}

// conclude gives a verification its meaning, if it is the one that was asked about.
func (e exchange) conclude(v verification,
	mean func(verification) protocol.Result) protocol.Answer {
	if err := v.match(e.request); err != nil {
		return e.because(invalid(e.guard.status, "%v", err))
	}
	result := mean(v)
	if result == protocol.Invalid {
		return e.because(invalid(e.guard.status, "the verification has an unknown state"))
	}
	return protocol.Answer{Version: protocol.Version, Result: result, SID: *v.sid,
		HTTPStatus: e.guard.status}
}

// because is the answer for an error. One that is not the guard's is twilio-go's about an answer's
// types.
func (e exchange) because(err error) protocol.Answer {
	var f *failure
	if !errors.As(err, &f) {
		f = invalid(e.guard.status, "the answer is not what Verify sends")
	}
	return protocol.Answer{
		Version: protocol.Version, Result: f.result, HTTPStatus: f.status, TwilioCode: f.code,
		Detail: line(e.request, f.detail),
	}
}

// serviceGone gives "not found" its meaning where no verification was named.
func serviceGone(err error) error {
	var f *failure
	if errors.As(err, &f) && f.result == protocol.Gone {
		return &failure{result: protocol.UnknownService, status: f.status, code: f.code,
			detail: "Verify does not know the service"}
	}
	return err
}

// line makes text fit for an answer: short, printable, and without what the request keeps from the
// log, even if a server or a library put it there.
func line(r protocol.Request, text string) string {
	for _, hidden := range []string{r.To, strings.TrimPrefix(r.To, "+"), r.Code,
		r.Service.APISecret, r.Service.AuthToken, r.Service.Proxy} {
		if hidden != "" {
			text = strings.ReplaceAll(text, hidden, "...")
		}
	}
	text = strings.Map(printable, text)
	return text[:min(len(text), protocol.MaxDetail)]
}

func printable(r rune) rune {
	if r < ' ' || r > '~' {
		return '?'
	}
	return r
}
