package standin

import (
	"net"
	"net/http"
	"net/url"
	"time"
)

// Seen is one request as it arrived. A request that did not get as far as its headers, because the
// client did not like the certificate, is not seen; Connections counts it.
type Seen struct {
	Time   time.Time
	Method string
	Path   string // with the query, if there was one
	Form   url.Values
	User   string // of HTTP Basic authorization, "" without
	Header http.Header
	Status int // of the answer, 0 as long as it has none or if it never got one
}

// Seen is everything so far.
func (s *Server) Seen() []Seen {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Seen(nil), s.seen...)
}

// Sends returns how many requests to send a code there were so far, successful or not.
func (s *Server) Sends() int { return s.countPath("/Verifications") }

// Checks is how many requests to check a code there were so far.
func (s *Server) Checks() int { return s.countPath("/VerificationCheck") }

func (s *Server) countPath(end string) (n int) {
	for _, r := range s.Seen() {
		if r.Method == http.MethodPost && r.Path == s.servicePath()+end {
			n++
		}
	}
	return n
}

// Connections is how many connections were opened so far.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.opened
}

func (s *Server) count(_ net.Conn, state http.ConnState) {
	if state == http.StateNew {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.opened++
	}
}

// see notes a request and returns its place in the log.
func (s *Server) see(r *http.Request) int {
	user, _, _ := r.BasicAuth()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, Seen{
		Time: s.clock(), Method: r.Method, Path: r.URL.RequestURI(), Form: r.PostForm, User: user,
		Header: r.Header.Clone(),
	})
	return len(s.seen) - 1
}

func (s *Server) servicePath() string { return "/v2/Services/" + s.settings.ServiceSID }
