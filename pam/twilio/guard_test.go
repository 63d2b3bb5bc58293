package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"testing"
	"time"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
)

// unreached is a transport that no request may reach.
type unreached struct{ t *testing.T }

func (u unreached) RoundTrip(r *http.Request) (*http.Response, error) {
	u.t.Errorf("%s left", r.URL)
	return nil, http.ErrHandlerTimeout
}

func TestOnlyRequestsForTheServiceLeave(t *testing.T) {
	g := &guard{next: unreached{t}, base: &url.URL{Scheme: "https", Host: "verify.example"},
		service: "/v2/Services/VA1", deadline: t.Context()}
	for _, to := range []string{
		"http://verify.twilio.com/v2/Services/VA1/Verifications",
		"https://api.twilio.com/v2/Services/VA1/Verifications",
		"https://verify.sydney.au1.twilio.com/v2/Services/VA1/Verifications",
		"https://verify.twilio.com/v2/Services/VA2/Verifications",
		"https://verify.twilio.com/v2/Services/VA11", "https://verify.twilio.com/v2/Services",
		"https://verify.twilio.com/",
		"https://verify.twilio.com/v2/Services/VA1/Verifications?x=y",
		"https://u:p@verify.twilio.com/v2/Services/VA1/Verifications",
	} {
		r, err := http.NewRequest(http.MethodPost, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := g.RoundTrip(r); err == nil {
			t.Errorf("%s was answered", to)
		}
	}
}

// tooLate answers 200 and ends the answer in good order, half-way, when the deadline is over.
type tooLate struct{ deadline context.Context }

func (l tooLate) RoundTrip(r *http.Request) (*http.Response, error) {
	httptrace.ContextClientTrace(r.Context()).GotConn(httptrace.GotConnInfo{})
	header := http.Header{"Content-Type": {"application/json"}}
	return &http.Response{StatusCode: http.StatusOK, Header: header, Body: io.NopCloser(l)}, nil
}

func (l tooLate) Read([]byte) (int, error) {
	<-l.deadline.Done()
	return 0, io.EOF
}

func TestAnswerThatTheDeadlineCutOffIsATimeout(t *testing.T) {
	deadline, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	g := &guard{next: tooLate{deadline}, base: &url.URL{Scheme: "https", Host: "verify.example"},
		service: "/v2", deadline: deadline, clock: time.Now}
	r, err := http.NewRequest(http.MethodPost, "https://verify.twilio.com/v2", nil)
	if err != nil {
		t.Fatal(err)
	}
	var f *failure
	if _, err := g.RoundTrip(r); !errors.As(err, &f) || f.result != protocol.Timeout {
		t.Errorf("%+v", f)
	}
}

func TestLineForTheLogHidesWhatTheRequestHides(t *testing.T) {
	r := protocol.Request{To: "+15551230123", Code: "739501",
		Service: access.Settings{APISecret: "seCRet", AuthToken: "toKEn", Proxy: "http://u:p@h"}}
	got := line(r,
		"+15551230123 15551230123 739501 seCRet toKEn http://u:p@h a\x1b\n\xffé"+
			strings.Repeat("x", 1000))
	if want := "... ... ... ... ... ... a????" +
		strings.Repeat("x", 1000); got != want[:protocol.MaxDetail] {
		t.Errorf("%q", got)
	}
}
