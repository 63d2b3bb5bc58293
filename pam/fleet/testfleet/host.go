package testfleet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/testroot"
)

// Host is a host of the fleet, which asks services directly.
type Host struct {
	fleet *Fleet
	Name  string
	Key   fleetkey.Signing
}

// Host makes a host with roles, over a ticket and the question "join".
func (f *Fleet) Host(t testing.TB, name string, roles ...hosts.Role) *Host {
	t.Helper()
	ticket, err := f.Admin.Invite(Context(t), hosts.Host{Name: name, Roles: roles},
		f.Clock().Add(time.Hour))
	testroot.Must(t, err)
	h := f.Stranger(name)
	if a := h.Join(t, ticket); a.Fault != wire.Done {
		t.Fatalf("%s joins: got %s: %s", name, a.Fault, a.Text)
	}
	return h
}

// Settings are those of a new host with roles, for standin.Configure.
func (f *Fleet) Settings(t testing.TB, name string, roles ...hosts.Role) settings.Settings {
	t.Helper()
	opening, err := f.Secret.Opening()
	testroot.Must(t, err)
	s := settings.Settings{FleetKey: opening.Public(), VerifyKey: f.Keys(t),
		CA: string(f.Authority.PEM), Host: name, Key: f.Host(t, name, roles...).Key}
	for _, service := range f.Services {
		s.Services = append(s.Services, fmt.Sprintf("https://%s", service.Addr()))
	}
	return s
}

// Stranger is a host that has not joined.
func (f *Fleet) Stranger(name string) *Host {
	return &Host{fleet: f, Name: name, Key: fleetkey.NewSigning()}
}

// Join asks to join with the secret of a ticket.
func (h *Host) Join(t testing.TB, secret []byte) wire.Answer {
	t.Helper()
	return h.Must(t, wire.Question{Op: "join"},
		service.Join{Secret: secret, Key: h.Key.Public().String()})
}

// Seal completes a question and seals it.
func (h *Host) Seal(t testing.TB, q wire.Question, body any) *wire.Sealed {
	t.Helper()
	q.Version, q.Host = wire.Version, h.Name
	if q.Token == (wire.Token{}) {
		q.Token = wire.NewToken()
	}
	if q.At.IsZero() {
		q.At = h.fleet.Clock()
	}
	text, err := json.Marshal(body)
	testroot.Must(t, err)
	q.Body = text
	opening, err := h.fleet.Secret.Opening()
	testroot.Must(t, err)
	sealed, err := wire.Seal(q, h.Key, opening.Public())
	testroot.Must(t, err)
	return sealed
}

// Must asks the first service.
func (h *Host) Must(t testing.TB, q wire.Question, body any) wire.Answer {
	t.Helper()
	a, err := h.Ask(t, h.fleet.Services[0].Addr(), h.Seal(t, q, body))
	testroot.Must(t, err)
	return a
}

// Ask sends a question to the service at an address.
func (h *Host) Ask(t testing.TB, addr string, sealed *wire.Sealed) (a wire.Answer, err error) {
	body, err := post(addr, h.fleet.Authority.PEM, sealed.Request)
	if err != nil {
		return a, err
	}
	return sealed.Open(body, h.fleet.Keys(t)...)
}

// post sends a request and returns the body of the answer.
func post(addr string, ca, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", "https://"+addr+service.Path,
		bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	got, err := client(ca).Do(r)
	if err != nil {
		return nil, err
	}
	defer got.Body.Close()
	body, err := io.ReadAll(got.Body)
	if err == nil && got.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", got.Status, body)
	}
	return body, err
}

// Client is one that trusts the fleet's certificates.
func (f *Fleet) Client() *http.Client { return client(f.Authority.PEM) }

func client(ca []byte) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(ca)
	return &http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS13}}}
}

// Join joins with a ticket, as a host that only has that.
func Join(t testing.TB, addr string, key secret.Secret, ticket settings.Ticket) (a wire.Answer,
	err error) {
	t.Helper()
	f := &Fleet{Secret: key, Clock: time.Now}
	h := &Host{fleet: f, Name: ticket.Host, Key: fleetkey.NewSigning()}
	sealed := h.Seal(t, wire.Question{Op: "join"},
		service.Join{Secret: ticket.Secret, Key: h.Key.Public().String()})
	body, err := post(addr, []byte(ticket.CA), sealed.Request)
	if err != nil {
		return a, err
	}
	known, err := ticket.Settings()
	if err != nil {
		return a, err
	}
	return sealed.Open(body, known.VerifyKey...)
}

// Know has hosts check answers with other keys.
func (f *Fleet) Know(keys ...fleetkey.Public) { f.keys = keys }

// Keys are what hosts check answers with.
func (f *Fleet) Keys(t testing.TB) []fleetkey.Public {
	f.once.Do(func() {
		var err error
		f.keys, err = f.Admin.Keys(context.Background())
		if err != nil {
			t.Error(err)
		}
	})
	return f.keys
}

// Guess is the question whether a code is alice's.
func Guess(user, code string) (wire.Question, authority.Guess) {
	return wire.Question{Op: "guess", User: user, UID: 1000, Service: "sshd"},
		authority.Guess{Login: authority.Login{Methods: method.All(), Limits: limit.Guesses{
			Failures: limit.Rate{Count: 10, Window: 10 * time.Minute}, Lock: 15 * time.Minute,
			Consecutive: 100}}, Code: code}
}

// Guessed is the body of an answer to a guess.
func Guessed(t testing.TB, a wire.Answer) (g authority.Guessed) {
	t.Helper()
	if a.Fault != wire.Done {
		t.Fatalf("got fault %s: %s", a.Fault, a.Text)
	}
	testroot.Must(t, json.Unmarshal(a.Body, &g))
	return g
}
