package fleet_test

import (
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/node"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/sshd/fleet/certs"
)

// impostor is what answers in place of the services: it has their certificates and all their keys.
type impostor struct {
	*table
	opening fleetkey.Opening
	signing fleetkey.Signing
	epoch   uint64
}

// lie is what an impostor answers to a question.
type lie func(i *impostor, opened *wire.Opened) ([]byte, error)

// impostors has something lie at the services' addresses.
func impostors(says lie) func(*table) func() error {
	return func(t *table) func() error {
		t.Helper()
		i := newImpostor(t)
		return i.replace(func(w http.ResponseWriter, r *http.Request) {
			request, _ := io.ReadAll(r.Body)
			opened, err := wire.Open(request, i.opening)
			if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
			body, err := says(i, opened)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Write(body)
		})
	}
}

// newImpostor learns the fleet's secrets.
func newImpostor(t *table) *impostor {
	t.Helper()
	text, err := os.ReadFile(t.Services[0].Path("/var/lib/latchkey-fleetd/fleet.key"))
	t.ok(err)
	key, err := secret.Parse(text)
	t.ok(err)
	i := &impostor{table: t}
	i.opening, err = key.Opening()
	t.ok(err)
	admin, err := t.Accounts()
	t.ok(err)
	t.ok(admin.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
		var keys node.Keys
		epoch, err := txn.Epoch()
		if err != nil {
			return err
		}
		if _, err := txn.Load(store.KeySigning, &keys); err != nil {
			return err
		}
		i.epoch = epoch.Number
		i.signing, err = keys.Signing()
		return err
	}))
	return i
}

// replace kills the services, and has something else answer, until it is undone.
func (t *table) replace(handler http.HandlerFunc) func() error {
	t.Helper()
	back := t.withoutServices()
	var servers []*httptest.Server
	for _, s := range t.Services {
		issued, err := t.CA.Issue(certs.Wanted{Name: s.Name, Hosts: []string{s.IP}})
		t.ok(err)
		pair, err := tls.X509KeyPair(issued.Certificate, issued.Key)
		t.ok(err)
		listen, err := net.Listen("tcp", s.Addr())
		t.ok(err)
		server := httptest.NewUnstartedServer(handler)
		server.Listener.Close()
		server.Listener, server.TLS = listen, &tls.Config{Certificates: []tls.Certificate{pair}}
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		servers = append(servers, server)
	}
	return func() error {
		for _, s := range servers {
			s.Close()
		}
		return back()
	}
}

// withNoise has a web server that is no service listen there.
func (t *table) withNoise() func() error { return t.replace(http.NotFound) }

func noise(*impostor, *wire.Opened) ([]byte, error) { return []byte("{\"Result\":\"ok\"}"), nil }

// accepting is an answer that everyone may come in.
func (i *impostor) accepting(epoch uint64) wire.Answer {
	return wire.Answer{Epoch: epoch, At: time.Now(), Node: "mfa1",
		Body: json.RawMessage(`{"Result":"accepted","Method":"totp"}`)}
}

func signedByAnother(i *impostor, opened *wire.Opened) ([]byte, error) {
	return opened.Answer(i.accepting(i.epoch), fleetkey.NewSigning())
}

// ofAnOlderEpoch has services of the past answer hosts that have seen a later one.
func (t *table) ofAnOlderEpoch() func() error {
	t.Helper()
	t.allowed(t.glass, t.alice)
	return impostors(func(i *impostor, opened *wire.Opened) ([]byte, error) {
		return opened.Answer(i.accepting(i.epoch-1), i.signing)
	})(t)
}

// unreachable is what would open break-glass, were a service believed to say it.
func unreachable(i *impostor, opened *wire.Opened) ([]byte, error) {
	return opened.Answer(wire.Answer{Epoch: i.epoch, At: time.Now(), Node: "mfa1",
		Fault: wire.Unreachable}, i.signing)
}

// toAnotherQuestion is a good answer to a question of the same host about the same user.
func toAnotherQuestion(i *impostor, opened *wire.Opened) ([]byte, error) {
	for _, h := range i.Hosts {
		if h.Name != opened.Claimed().Host {
			continue
		}
		q, body := testfleet.Guess(opened.Claimed().User, "000000")
		sealed, err := h.Seal(q, body)
		if err != nil {
			return nil, err
		}
		other, err := wire.Open(sealed.Request, i.opening)
		if err != nil {
			return nil, err
		}
		return other.Answer(i.accepting(i.epoch), i.signing)
	}
	return nil, errors.New("a question of no host")
}

// withWrongClocks has two services more, whose clocks are a minute off those of the others. Which
// of them are right no one can know, so none answers.
func (t *table) withWrongClocks() func() error { return t.withClocks(time.Minute, t.Refusing) }

// withClocks has two services more whose clocks are off, and waits until the others have seen it.
func (t *table) withClocks(off time.Duration, seen func() error) func() error {
	t.Helper()
	admin, err := t.Accounts()
	t.ok(err)
	clocks := func(change func(*store.Txn, string) error) error {
		return admin.Store.Run(testfleet.Context(t), nil, func(txn *store.Txn) error {
			return errors.Join(change(txn, store.ServiceKey("mfa8")),
				change(txn, store.ServiceKey("mfa9")))
		})
	}
	end, ended := make(chan struct{}), make(chan error)
	go func() {
		for n := 0; ; n++ {
			select {
			case <-end:
				ended <- clocks((*store.Txn).Delete)
				return
			case <-time.After(100 * time.Millisecond):
			}
			_ = clocks(func(txn *store.Txn, key string) error {
				epoch, err := txn.Epoch()
				return errors.Join(err, txn.Store(key, node.Peer{Number: fmt.Sprint(n),
					Epoch: epoch.Number, At: txn.Now.Add(off)}))
			})
		}
	}()
	t.ok(seen())
	return func() error {
		close(end)
		return <-ended
	}
}
