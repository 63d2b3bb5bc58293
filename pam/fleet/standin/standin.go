// Package standin is a fleet of one service for tests of its hosts: real TLS, real seals and
// signatures, and the accounts of a root in place of a database. Only tests import it.
package standin

import (
	"encoding/json"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// Service is the fleet.
type Service struct {
	Root  testroot.Root // its accounts
	Clock func() time.Time

	t       testing.TB
	server  *httptest.Server
	opening fleetkey.Opening
	mu      sync.Mutex
	hosts   map[string]fleetkey.Public
	signing fleetkey.Signing
	answer  wire.Answer // what is in every answer
	before  func(http.ResponseWriter) (done bool)
	asked   []wire.Question
}

// Start starts the service.
func Start(t testing.TB, clock func() time.Time) *Service {
	t.Helper()
	s := &Service{t: t, Root: testroot.New(t), Clock: clock, hosts: map[string]fleetkey.Public{},
		signing: fleetkey.NewSigning(), answer: wire.Answer{Epoch: 1, Node: "mfa1"}}
	var err error
	s.opening, err = fleetkey.OpeningFrom([]byte(strings.Repeat("fleet's secret", 4)))
	testroot.Must(t, err)
	s.server = httptest.NewUnstartedServer(s)
	s.server.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.server.StartTLS()
	t.Cleanup(s.server.Close)
	return s
}

// Stop ends the service: no one listens any more.
func (s *Service) Stop() { s.server.Close() }

// Fault has every answer be that fault; wire.Done ends that.
func (s *Service) Fault(f wire.Fault) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer.Fault, s.answer.Text = f, "because"
}

// Epoch is the fleet's generation from now on.
func (s *Service) Epoch(n uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer.Epoch = n
}

// Sign has another key sign the answers.
func (s *Service) Sign(k fleetkey.Signing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signing = k
}

// Before is called with each request; if it reports true, it has answered.
func (s *Service) Before(f func(http.ResponseWriter) (done bool)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.before = f
}

// Asked are the questions so far.
func (s *Service) Asked() []wire.Question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]wire.Question(nil), s.asked...)
}

// ServeHTTP answers a question.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	request, _ := io.ReadAll(r.Body)
	s.mu.Lock()
	before := s.before
	s.mu.Unlock()
	if before != nil && before(w) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	opened, err := wire.Open(request, s.opening)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	a := s.answer
	if q, err := opened.Prove(s.hosts[opened.Claimed().Host]); err != nil {
		a.Fault = wire.Revoked
	} else if s.asked = append(s.asked, q); a.Fault == wire.Done {
		a = s.say(a, q)
	}
	body, err := opened.Answer(a, s.signing)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Write(body)
}

// say answers by the authority that has the accounts.
func (s *Service) say(a wire.Answer, q wire.Question) wire.Answer {
	body, err := operate(&authority.Local{Keyring: s.Root.Keyring(), Clock: s.Clock}, q)
	if err != nil {
		a.Fault, a.Text = wire.Fault(authority.FaultOf(err)), err.Error()
	}
	a.Body, _ = json.Marshal(body)
	return a
}

func operate(l *authority.Local, q wire.Question) (any, error) {
	var login authority.Login
	var guess authority.Guess
	json.Unmarshal(q.Body, &login)
	json.Unmarshal(q.Body, &guess)
	u := record.User{Name: q.User, UID: q.UID}
	switch q.Op {
	case "begin":
		return l.Begin(login)
	case "guess":
		return l.Guess(guess)
	case "crowded":
		return l.Crowded(login), nil
	case "codes":
		return l.Codes(u)
	case "forget":
		return nil, l.Forget(u)
	}
	return nil, errors.New("unknown operation")
}

// Join makes the host below root one of the fleet, with more lines for its fleet.toml, and gives
// it latchkey-fleet.
func (s *Service) Join(root testroot.Root, name, more string) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	key := fleetkey.NewSigning()
	s.hosts[name] = key.Public()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: s.server.Certificate().Raw})
	Configure(s.t, root, settings.Settings{Services: []string{s.server.URL},
		FleetKey: s.opening.Public(), VerifyKey: []fleetkey.Public{s.signing.Public()},
		CA: string(ca), Host: name, Key: key}, more)
}

// Configure writes what the host below root has of its fleet, with more lines for fleet.toml, and
// gives it latchkey-fleet.
func Configure(t testing.TB, root testroot.Root, known settings.Settings, more string) {
	t.Helper()
	known.CAFile, known.Unreachable = settings.CAPath, settings.Deny
	text := string(known.Format())
	if strings.Contains(more, "unreachable") {
		text = strings.Replace(text, "unreachable = \"deny\"\n", "", 1)
	}
	place(t, root, settings.Path, []byte(text+more), 0o644)
	place(t, root, settings.CAPath, []byte(known.CA), 0o644)
	place(t, root, settings.KeyPath, fleetkey.FormatHost(known.Key), 0o600)
	Helper(t, root)
}

// Helper puts latchkey-fleet itself in its place.
func Helper(t testing.TB, root testroot.Root) {
	t.Helper()
	program, err := helper()
	testroot.Must(t, err)
	Program(t, root, testroot.Read(t, program))
}

// Program puts a program in the place of latchkey-fleet, which its user can get to.
func Program(t testing.TB, root testroot.Root, text []byte) {
	t.Helper()
	path := root.Join(dispatch.Program)
	testroot.Must(t, os.MkdirAll(filepath.Dir(path), 0o755))
	for dir := filepath.Dir(path); dir != os.TempDir() && dir != "/"; dir = filepath.Dir(dir) {
		testroot.Must(t, os.Chmod(dir, 0o755))
	}
	testroot.Executable(t, path, text)
}

func place(t testing.TB, root testroot.Root, path string, text []byte, mode os.FileMode) {
	t.Helper()
	testroot.Write(t, root.Join(path), text)
	testroot.Must(t, os.Chmod(root.Join(path), mode))
}

// helper builds latchkey-fleet, once.
var helper = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "latchkey-fleet")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "latchkey-fleet")
	build := exec.Command("go", "build", "-o", path, "latchkey/pam/fleet/helper")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stderr = os.Stderr
	return path, build.Run()
})
