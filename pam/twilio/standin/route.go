package standin

import (
	"crypto/subtle"
	"net/http"
	"strings"

	"latchkey/pam/phone"
)

// ServeHTTP answers one request, by the rules or by the fault that is set.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 64<<10)
	r.ParseForm() // a body that is no form is an empty form
	place := s.see(r)
	w.Header().Set("Date", s.clock().UTC().Format(http.TimeFormat))
	writer := &counted{ResponseWriter: w, note: func(status int) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.seen[place].Status = status
	}}
	if fault := s.takeFault(); fault != nil {
		fault(Faulty{Writer: writer, Request: r, server: s})
		return
	}
	s.obey(r).write(writer)
}

// counted is a ResponseWriter that notes the status.
type counted struct {
	http.ResponseWriter
	note func(status int)
}

func (c *counted) WriteHeader(status int) {
	c.note(status)
	c.ResponseWriter.WriteHeader(status)
}

// Unwrap is for http.ResponseController.
func (c *counted) Unwrap() http.ResponseWriter { return c.ResponseWriter }

// obey does what a request asks for.
func (s *Server) obey(r *http.Request) reply {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.authorized(r) {
		return refuse(http.StatusUnauthorized, 20003, "Authenticate")
	}
	rest, ours := strings.CutPrefix(r.URL.Path, s.servicePath())
	if !ours {
		return refuse(http.StatusNotFound, 20404,
			"The requested resource "+strings.TrimPrefix(r.URL.Path, "/v2")+" was not found")
	}
	return s.route(r, rest)
}

func (s *Server) route(r *http.Request, rest string) reply {
	sid, one := strings.CutPrefix(rest, "/Verifications/")
	switch {
	case r.Method == http.MethodGet && rest == "":
		return reply{http.StatusOK, s.book.service()}
	case r.Method == http.MethodPost && rest == "/Verifications":
		return s.send(r)
	case r.Method == http.MethodPost && rest == "/VerificationCheck":
		return s.check(r)
	case r.Method == http.MethodGet && one:
		return s.book.fetch(sid, s.clock())
	case r.Method == http.MethodPost && one:
		return s.book.update(sid, r.PostForm.Get("Status"), s.clock())
	}
	return s.book.gone(rest)
}

func (s *Server) send(r *http.Request) reply {
	to, channel := r.PostForm.Get("To"), r.PostForm.Get("Channel")
	if !phone.IsNumber(to) {
		return refuse(http.StatusBadRequest, 60200, "Invalid parameter `To`: "+to)
	}
	switch channel {
	case "sms", "call":
		return s.book.send(to, channel, s.clock())
	case "whatsapp", "email", "auto", "sna":
		return refuse(http.StatusBadRequest, 60223, "Delivery channel disabled: "+channel)
	}
	return refuse(http.StatusBadRequest, 60200, "Invalid parameter `Channel`: "+channel)
}

func (s *Server) check(r *http.Request) reply {
	code, to, sid := r.PostForm.Get("Code"), r.PostForm.Get("To"), r.PostForm.Get(
		"VerificationSid")
	switch {
	case len(code) < 4 || len(code) > 10:
		return refuse(http.StatusBadRequest, 60200, "Invalid parameter `Code`")
	case sid != "":
		return s.book.check(s.book.bySID(sid, s.clock()), code, s.clock())
	case to != "":
		return s.book.check(s.book.pending(to, s.clock()), code, s.clock())
	}
	return refuse(http.StatusBadRequest, 60200, "Missing parameter `To` or `VerificationSid`")
}

// authorized takes the API key with its secret, or the account with its token.
func (s *Server) authorized(r *http.Request) bool {
	user, password, ok := r.BasicAuth()
	want := map[string]string{s.settings.APIKey: s.settings.APISecret,
		s.settings.AccountSID: s.book.token}[user]
	return ok && want != "" && subtle.ConstantTimeCompare([]byte(password), []byte(want)) == 1
}
