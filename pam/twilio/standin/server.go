// Package standin stands in for Twilio Verify: in tests and in `make demo`. It speaks TLS with an
// authority of its own, keeps verifications as Verify does (sends, checks, ten minutes),
// misbehaves on request, and remembers what it saw. It sends nothing to anyone: Code tells what
// Verify would have sent.
package standin

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
)

// Options are what a stand-in can be started with; the zero value is a good one.
type Options struct {
	Listen string // address to listen at, "127.0.0.1:0" if empty
	// names and addresses in the certificate, in addition to 127.0.0.1 and localhost; the first is
	// in BaseURL
	Hosts       []string
	APISecret   string           // of the account's key; a random one if empty
	Certificate Certificate      // what is wrong with the certificate
	Clock       func() time.Time // time.Now if nil; certificates live by time.Now alone
	CodeLength  int              // digits of the service's codes, 4 to 10; 6 if 0
}

// Server is a running stand-in.
type Server struct {
	http     *http.Server
	listener net.Listener
	settings access.Settings
	clock    func() time.Time
	done     chan struct{}
	end      sync.Once

	mu     sync.Mutex
	book   *book
	fault  Fault
	once   bool
	seen   []Seen
	opened int
}

// Start starts a stand-in.
func Start(o Options) (*Server, error) {
	if o.Listen == "" {
		o.Listen = "127.0.0.1:0"
	}
	if o.CodeLength != 0 && !protocol.IsCodeLength(o.CodeLength) {
		return nil, fmt.Errorf("no service of Verify has codes of %d digits", o.CodeLength)
	}
	if o.Clock == nil {
		o.Clock = time.Now
	}
	authority, certificate, err := makeCertificates(o.Certificate, o.Hosts)
	if err != nil {
		return nil, fmt.Errorf("certificates of the stand-in: %w", err)
	}
	listener, err := net.Listen("tcp", o.Listen)
	if err != nil {
		return nil, err
	}
	s := &Server{listener: listener, clock: o.Clock, done: make(chan struct{}),
		settings: newSettings(listener, o.Hosts, authority)}
	if o.APISecret != "" {
		s.settings.APISecret = o.APISecret
	}
	s.book = newBook(s.settings, o.CodeLength)
	s.http = &http.Server{
		Handler: s, ErrorLog: log.New(io.Discard, "", 0), ConnState: s.count,
		TLSConfig:         tlsConfig(certificate),
		ReadHeaderTimeout: time.Minute,
	}
	go s.http.ServeTLS(listener, "", "") // ends with Close
	return s, nil
}

// Close ends the stand-in and every answer that it still holds back. It may be called again.
func (s *Server) Close() {
	s.end.Do(func() {
		close(s.done)
		s.http.Close()
	})
}

// newSettings are those of an account of the stand-in alone.
func newSettings(l net.Listener, hosts []string, authority string) access.Settings {
	host, port := "127.0.0.1", fmt.Sprint(l.Addr().(*net.TCPAddr).Port)
	if len(hosts) > 0 {
		host = hosts[0]
	}
	return access.Settings{
		ServiceSID: newSID("VA"), AccountSID: newSID("AC"), APIKey: newSID("SK"),
		APISecret: newSID(""),
		BaseURL:   "https://" + net.JoinHostPort(host, port), CA: authority,
	}
}

// Settings are what a client needs, with the API key and the authority.
func (s *Server) Settings() access.Settings { return s.settings }

// TokenSettings are the same with the account's token in place of the API key.
func (s *Server) TokenSettings() access.Settings {
	with := s.settings
	with.APIKey, with.APISecret, with.AuthToken = "", "", s.book.token
	return with
}

// TOML is twilio.toml for the stand-in. Its authority (Settings().CA) must be written to caFile.
func (s *Server) TOML(caFile string) string {
	t := s.settings
	return fmt.Sprintf("service_sid = %q\naccount_sid = %q\napi_key = %q\napi_secret = %q\n"+
		"base_url = %q\nca_file = %q\n",
		t.ServiceSID, t.AccountSID, t.APIKey, t.APISecret, t.BaseURL, caFile)
}

// Code is the code that was last sent to a number and may still be right, or "".
func (s *Server) Code(to string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if v := s.book.pending(to, s.clock()); v != nil {
		return v.code
	}
	return ""
}

// WrongCode is one that is not right for a number.
func (s *Server) WrongCode(to string) string {
	s.mu.Lock()
	zeros := strings.Repeat("0", s.book.length)
	s.mu.Unlock()
	if s.Code(to) == zeros {
		return strings.Repeat("1", len(zeros))
	}
	return zeros
}

// Landline makes a number one that takes calls but no SMS.
func (s *Server) Landline(to string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.book.landlines[to] = true
}
