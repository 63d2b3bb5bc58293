package standin_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/standin"
)

const number = "+15551230123"

// clock is a clock that stands still until it is moved.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// client is a plain client that believes everything.
type client struct {
	t        *testing.T
	server   *standin.Server
	settings access.Settings
	http     *http.Client
	clock    *clock
}

func start(t *testing.T) *client {
	t.Helper()
	c := &client{t: t, clock: &clock{now: time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC)}}
	server, err := standin.Start(standin.Options{Clock: c.clock.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Close)
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM([]byte(server.Settings().CA))
	c.server, c.settings = server, server.Settings()
	c.http = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	t.Cleanup(c.http.CloseIdleConnections)
	return c
}

// do asks below the service; form is "Name=value" pairs, and its absence a GET.
func (c *client) do(path string, form ...string) (status int, body map[string]any) {
	c.t.Helper()
	method, values := http.MethodGet, url.Values{}
	for _, pair := range form {
		name, value, _ := strings.Cut(pair, "=")
		method = http.MethodPost
		values.Set(name, value)
	}
	r, err := http.NewRequest(method,
		c.settings.BaseURL+"/v2/Services/"+c.settings.ServiceSID+path, strings.NewReader(
			values.Encode()))
	if err != nil {
		c.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	user, password := c.settings.APIKey, c.settings.APISecret
	if c.settings.AuthToken != "" {
		user, password = c.settings.AccountSID, c.settings.AuthToken
	}
	r.SetBasicAuth(user, password)
	response, err := c.http.Do(r)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	if err := json.NewDecoder(response.Body).Decode(&body); err != nil {
		c.t.Fatal(err)
	}
	return response.StatusCode, body
}

// want asks and demands a status, and an error number or a verification's status.
func (c *client) want(status int, what any, path string, form ...string) map[string]any {
	c.t.Helper()
	got, body := c.do(path, form...)
	said := body["status"]
	if code, failed := body["code"]; failed {
		said = int(code.(float64))
	}
	if got != status || said != what {
		c.t.Fatalf("%s %v: got %d %v, want %d %v", path, form, got, said, status, what)
	}
	return body
}

const sends, checks = "/Verifications", "/VerificationCheck"

func TestRightCodeIsApprovedOnceAndThenForgotten(t *testing.T) {
	c := start(t)
	sid := c.want(201, "pending", sends, "To="+number, "Channel=sms")["sid"].(string)
	c.want(200, "pending", sends+"/"+sid)
	c.want(200, "pending", checks, "To="+number, "Code="+c.server.WrongCode(number))
	code := c.server.Code(number)
	body := c.want(200, "approved", checks, "VerificationSid="+sid, "Code="+code)
	if body["valid"] != true || body["to"] != number || body["sid"] != sid {
		t.Errorf("%v", body)
	}
	c.want(404, 20404, checks, "VerificationSid="+sid, "Code="+code)
	c.want(404, 20404, sends+"/"+sid)
	if c.server.Code(number) != "" {
		t.Error("a used code may still be right")
	}
}

func TestAskingAgainJoinsTheVerificationAcrossChannelsUpToFiveSends(t *testing.T) {
	c := start(t)
	first := c.want(201, "pending", sends, "To="+number, "Channel=sms")
	code := c.server.Code(number)
	for n, channel := range []string{"call", "sms", "call", "sms"} {
		again := c.want(201, "pending", sends, "To="+number, "Channel="+channel)
		if again["sid"] != first["sid"] || c.server.Code(number) != code ||
			len(again["send_code_attempts"].([]any)) != n+2 {
			t.Errorf("%d: %v", n, again)
		}
	}
	c.want(429, 60203, sends, "To="+number, "Channel=sms")
	if c.server.Sends() != 6 {
		t.Errorf("%d sends seen", c.server.Sends())
	}
}

func TestOnlyFiveChecksAreCompared(t *testing.T) {
	c := start(t)
	c.want(201, "pending", sends, "To="+number, "Channel=sms")
	for range standin.MaxChecks {
		c.want(200, "pending", checks, "To="+number, "Code="+c.server.WrongCode(number))
	}
	c.want(429, 60202, checks, "To="+number, "Code="+c.server.Code(number))
	c.want(201, "pending", sends, "To="+number, "Channel=call")
	c.want(429, 60202, checks, "To="+number, "Code="+c.server.Code(number))
}

func TestCodeLivesTenMinutes(t *testing.T) {
	c := start(t)
	c.want(201, "pending", sends, "To="+number, "Channel=sms")
	code := c.server.Code(number)
	c.clock.Add(standin.Lifetime - time.Second)
	c.want(200, "pending", checks, "To="+number, "Code="+c.server.WrongCode(number))
	c.clock.Add(time.Second)
	c.want(404, 20404, checks, "To="+number, "Code="+code)
	c.want(201, "pending", sends, "To="+number, "Channel=sms")
}

func TestVerificationIsCanceledOrApprovedByItsStatus(t *testing.T) {
	for _, status := range []string{"canceled", "approved"} {
		c := start(t)
		sid := c.want(201, "pending", sends, "To="+number, "Channel=sms")["sid"].(string)
		code := c.server.Code(number)
		c.want(400, 60200, sends+"/"+sid, "Status=lost")
		c.want(200, status, sends+"/"+sid, "Status="+status)
		c.want(404, 20404, checks, "To="+number, "Code="+code)
	}
}

func TestMalformedRequestIsRefusedWithVerifysErrorNumbers(t *testing.T) {
	c := start(t)
	c.server.Landline(number)
	c.want(400, 60200, sends, "To=5551230123", "Channel=sms")
	c.want(400, 60200, sends, "To="+number, "Channel=pigeon")
	c.want(400, 60223, sends, "To="+number, "Channel=whatsapp")
	c.want(403, 60205, sends, "To="+number, "Channel=sms")
	c.want(201, "pending", sends, "To="+number, "Channel=call")
	c.want(400, 60200, checks, "To="+number, "Code=123")
	c.want(400, 60200, checks, "Code=123456")
	c.want(404, 20404, "/Nothing")
}

func TestCredentialsAreTheKeysOrTheAccounts(t *testing.T) {
	c := start(t)
	good := c.settings
	c.settings = c.server.TokenSettings()
	c.want(201, "pending", sends, "To="+number, "Channel=sms")
	c.settings.AuthToken = good.APISecret
	c.want(401, 20003, sends, "To="+number, "Channel=sms")
	c.settings = good
	c.settings.APISecret = "x"
	c.want(401, 20003, sends, "To="+number, "Channel=sms")
	c.settings = good
	c.settings.ServiceSID = "VA" + strings.Repeat("0", 32)
	c.want(404, 20404, sends, "To="+number, "Channel=sms")
}

func TestRequestsAreRemembered(t *testing.T) {
	c := start(t)
	c.want(201, "pending", sends, "To="+number, "Channel=sms", "Locale=en")
	c.server.FailOnce(standin.ErrorAfter(500, 20500))
	c.want(500, 20500, sends, "To="+number, "Channel=sms")
	seen := c.server.Seen()
	if len(seen) != 2 || c.server.Sends() != 2 || c.server.Checks() != 0 ||
		c.server.Connections() != 1 {
		t.Fatalf("%+v", seen)
	}
	if r := seen[0]; r.Method != "POST" || r.Form.Get("Locale") != "en" ||
		r.User != c.settings.APIKey || r.Status != 201 || !r.Time.Equal(c.clock.Now()) {
		t.Errorf("%+v", r)
	}
	if seen[1].Status != 500 {
		t.Errorf("%+v", seen[1])
	}
}
