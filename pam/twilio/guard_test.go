package main

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"latchkey/pam/twilio/protocol"
)

// unreached is a transport that no request may reach.
type unreached struct{ t *testing.T }

func (u unreached) RoundTrip(r *http.Request) (*http.Response, error) {
	u.t.Errorf("%s left", r.URL)
	return nil, http.ErrHandlerTimeout
}

func TestOnlyRequestsForTheServiceLeave(t *testing.T) {
	g := &guard{next: unreached{t}, base: &url.URL{Scheme: "https", Host: "verify.example"}, service: "/v2/Services/VA1", deadline: t.Context()}
	for _, to := range []string{
		"http://verify.twilio.com/v2/Services/VA1/Verifications", "https://api.twilio.com/v2/Services/VA1/Verifications",
		"https://verify.sydney.au1.twilio.com/v2/Services/VA1/Verifications", "https://verify.twilio.com/v2/Services/VA2/Verifications",
		"https://verify.twilio.com/v2/Services/VA11", "https://verify.twilio.com/v2/Services", "https://verify.twilio.com/",
		"https://verify.twilio.com/v2/Services/VA1/Verifications?x=y", "https://u:p@verify.twilio.com/v2/Services/VA1/Verifications",
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

func TestALineForTheLogHidesWhatTheRequestHides(t *testing.T) {
	r := protocol.Request{To: "+15551230123", Code: "739501", Service: protocol.Settings{APISecret: "seCRet", AuthToken: "toKEn", Proxy: "http://u:p@h"}}
	got := line(r, "+15551230123 15551230123 739501 seCRet toKEn http://u:p@h a\x1b\n\xffé"+strings.Repeat("x", 1000))
	if want := "... ... ... ... ... ... a????" + strings.Repeat("x", 1000); got != want[:protocol.MaxDetail] {
		t.Errorf("%q", got)
	}
}
