package fleet

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
)

// Asker is a host of the fleet that is a key and nothing else: it asks as latchkey-login does.
type Asker struct {
	*settings.Settings
	roots *x509.CertPool
}

// Invite has the first service make a ticket.
func (f *Fleet) Invite(name, roles string) (string, error) {
	ticket, err := f.Services[0].Command("", "host", "invite", name, "--role", roles)
	return strings.TrimSpace(ticket), err
}

// Join makes a host of the fleet that only asks.
func (f *Fleet) Join(name, roles string) (*Asker, error) {
	text, err := f.Invite(name, roles)
	if err != nil {
		return nil, err
	}
	ticket, err := settings.ParseTicket(text)
	if err != nil {
		return nil, err
	}
	return join(ticket)
}

// Crowd makes n hosts that only ask whether codes are right. It invites them as latchkey-fleetd
// does, without starting it for each.
func (f *Fleet) Crowd(n int) ([]*Asker, error) {
	first, err := f.Invite("crowd", "verify")
	if err != nil {
		return nil, err
	}
	ticket, err := settings.ParseTicket(first)
	if err != nil {
		return nil, err
	}
	admin, err := f.Accounts()
	if err != nil {
		return nil, err
	}
	crowd := make([]*Asker, n)
	for i := range crowd {
		h := hosts.Host{Name: fmt.Sprintf("crowd%d", i), Roles: []hosts.Role{hosts.Verify}}
		ticket.Host = h.Name
		ticket.Secret, err = admin.Invite(context.Background(), h, ticket.Until)
		if err != nil {
			return nil, err
		}
		if crowd[i], err = join(ticket); err != nil {
			return nil, err
		}
	}
	return crowd, nil
}

// newAsker knows what a ticket says.
func newAsker(ticket settings.Ticket) (a *Asker, err error) {
	a = &Asker{roots: x509.NewCertPool()}
	a.Settings, err = ticket.Settings()
	a.roots.AppendCertsFromPEM([]byte(ticket.CA))
	return a, err
}

func join(ticket settings.Ticket) (*Asker, error) {
	a, err := newAsker(ticket)
	if err != nil {
		return nil, err
	}
	a.Key = fleetkey.NewSigning()
	answer, err := a.Ask(wire.Question{Op: "join"},
		service.Join{Secret: ticket.Secret, Key: a.Key.Public().String()})
	if err == nil && answer.Fault != wire.Done {
		err = &wire.Error{Fault: answer.Fault, Text: answer.Text}
	}
	return a, err
}

// Ask asks the services in turn, with the same bytes, until one answers.
func (a *Asker) Ask(q wire.Question, body any) (answer wire.Answer, err error) {
	sealed, err := a.Seal(q, body)
	if err != nil {
		return answer, err
	}
	for _, url := range a.Services {
		if answer, err = a.Send(context.Background(), url, sealed); err == nil {
			break
		}
	}
	return answer, err
}

// Seal completes a question and seals it.
func (a *Asker) Seal(q wire.Question, body any) (*wire.Sealed, error) {
	q.Version, q.Host = wire.Version, a.Host
	if q.Token == (wire.Token{}) {
		q.Token = wire.NewToken()
	}
	if q.At.IsZero() {
		q.At = time.Now()
	}
	var err error
	if q.Body, err = json.Marshal(body); err != nil {
		return nil, err
	}
	return wire.Seal(q, a.Key, a.FleetKey)
}

// Send asks one service, over a connection of its own.
func (a *Asker) Send(ctx context.Context, url string, sealed *wire.Sealed) (answer wire.Answer,
	err error) {
	body, err := a.Carry(ctx, url, sealed.Request)
	if err != nil {
		return answer, err
	}
	return sealed.Open(body, a.VerifyKey...)
}

// Carry brings a request to one service, as latchkey-fleet does, and gives what is answered.
func (a *Asker) Carry(ctx context.Context, url string, request []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, "POST", url+service.Path,
		bytes.NewReader(request))
	if err != nil {
		return nil, err
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true,
		TLSClientConfig: &tls.Config{RootCAs: a.roots, MinVersion: tls.VersionTLS13}}}
	got, err := client.Do(r)
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

func base32Text(secret []byte) string {
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(secret)
}
