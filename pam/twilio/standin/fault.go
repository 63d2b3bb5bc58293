package standin

import (
	"bytes"
	"net"
	"net/http"
	"time"
)

// Fault answers a request in place of the stand-in. It must return when the server ends.
type Fault func(Faulty)

// Faulty is a request that goes wrong.
type Faulty struct {
	Writer  http.ResponseWriter
	Request *http.Request
	server  *Server
}

// Fail makes every request from now on go wrong; nil ends that.
func (s *Server) Fail(f Fault) { s.setFault(f, false) }

// FailOnce makes only the next request go wrong.
func (s *Server) FailOnce(f Fault) { s.setFault(f, true) }

func (s *Server) setFault(f Fault, once bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault, s.once = f, once
}

func (s *Server) takeFault() Fault {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.fault
	if s.once {
		s.fault = nil
	}
	return f
}

// obey is what the right answer would have been. What was asked for is done.
func (f Faulty) obey() reply { return f.server.obey(f.Request) }

// ended reports whether the client or the server is gone, after a pause at most.
func (f Faulty) ended(pause <-chan time.Time) bool {
	select {
	case <-f.Request.Context().Done():
		return true
	case <-f.server.done:
		return true
	case <-pause:
		return false
	}
}

// Silence takes the request and never answers.
func Silence(f Faulty) { f.ended(nil) }

// Drip gives the right answer, one byte a second.
func Drip(f Faulty) {
	right := f.obey()
	f.Writer.Header().Set("Content-Type", "application/json")
	f.Writer.WriteHeader(right.status)
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for _, b := range right.text() {
		f.Writer.Write([]byte{b})
		http.NewResponseController(f.Writer).Flush()
		if f.ended(second.C) {
			return
		}
	}
}

// Flood gives the right answer with 100 MB of spaces before its end, for as long as the client
// reads.
func Flood(f Faulty) {
	right := f.obey()
	text := right.text()
	f.Writer.Header().Set("Content-Type", "application/json")
	f.Writer.WriteHeader(right.status)
	f.Writer.Write(text[:len(text)-1])
	spaces := bytes.Repeat([]byte{' '}, 1<<20)
	for range 100 {
		if _, err := f.Writer.Write(spaces); err != nil {
			return
		}
	}
	f.Writer.Write([]byte("}"))
}

// HTML answers as a captive portal does.
func HTML(f Faulty) {
	write(f.Writer, http.StatusOK, "text/html; charset=utf-8",
		[]byte("<!DOCTYPE html><title>Sign in</title><p>approved"))
}

// Body answers 200 and a body as application/json: `{}`, `null`.
func Body(body string) Fault { return Answer(http.StatusOK, "application/json", body) }

// Answer answers anything.
func Answer(status int, contentType, body string) Fault {
	return func(f Faulty) { write(f.Writer, status, contentType, []byte(body)) }
}

// Trailing gives the right answer and more behind it.
func Trailing(junk string) Fault {
	return func(f Faulty) {
		right := f.obey()
		write(f.Writer, right.status, "application/json", append(right.text(), junk...))
	}
}

// Status gives the right answer with another HTTP status.
func Status(status int) Fault {
	return func(f Faulty) { write(f.Writer, status, "application/json", f.obey().text()) }
}

// Typed gives the right answer with another content type.
func Typed(contentType string) Fault {
	return func(f Faulty) {
		right := f.obey()
		write(f.Writer, right.status, contentType, right.text())
	}
}

// Redirect sends the client to a place where everything is approved, and says so in the redirect
// as well: 302, 307.
func Redirect(status int) Fault {
	return func(f Faulty) {
		approved := f.approval(nil)
		if !f.Request.URL.Query().Has("redirected") {
			f.Writer.Header().Set("Location",
				f.Request.URL.Path+"?redirected&"+f.Request.Form.Encode())
			approved.status = status
		}
		approved.write(f.Writer)
	}
}

// Approve approves any verification that it is asked about, with some members of the answer
// changed, or taken out by Absent.
func Approve(changed map[string]any) Fault {
	return func(f Faulty) { f.approval(changed).write(f.Writer) }
}

// Absent takes a member out of an answer: Approve(map[string]any{"valid": standin.Absent}).
var Absent any = absent{}

type absent struct{}

// approval is an approving answer for the number or the verification that was asked about.
func (f Faulty) approval(changed map[string]any) reply {
	s := f.server
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock()
	form := f.Request.Form
	v := s.book.bySID(form.Get("VerificationSid"), now)
	if v == nil {
		v = s.book.pending(form.Get("To"), now)
	}
	if v == nil {
		v = &verification{sid: newSID("VE"), to: form.Get("To"), channel: "sms", created: now}
	}
	approved := *v
	approved.status = "approved"
	body := s.book.checked(&approved, now)
	for name, value := range changed {
		body[name] = value
		if value == Absent {
			delete(body, name)
		}
	}
	return reply{http.StatusOK, body}
}

// Rewrite approves any verification that it is asked about, with the text of the answer changed.
func Rewrite(change func(text string) string) Fault {
	return func(f Faulty) {
		approved := f.approval(nil)
		write(f.Writer, approved.status, "application/json",
			[]byte(change(string(approved.text()))))
	}
}

// Error answers with one of Twilio's errors: Error(403, 60410).
func Error(status, code int) Fault {
	return func(f Faulty) { refuse(status, code, "Refused on request").write(f.Writer) }
}

// ErrorAfter does what was asked for and then answers with an error: Verify's 500 (20500) on a
// send that went out.
func ErrorAfter(status, code int) Fault {
	return func(f Faulty) {
		f.obey()
		Error(status, code)(f)
	}
}

// Raw writes bytes in place of an answer and ends the connection.
func Raw(text string) Fault {
	return func(f Faulty) {
		if conn := f.hijack(); conn != nil {
			defer conn.Close()
			conn.Write([]byte(text))
		}
	}
}

// Reset takes the request and resets the connection.
func Reset(f Faulty) {
	conn := f.hijack()
	if conn == nil {
		return
	}
	if secure, ok := conn.(interface{ NetConn() net.Conn }); ok {
		conn = secure.NetConn()
	}
	if tcp, ok := conn.(*net.TCPConn); ok {
		tcp.SetLinger(0)
	}
	conn.Close()
}

// hijack takes the connection from the HTTP server; nil if it is gone.
func (f Faulty) hijack() net.Conn {
	conn, _, err := http.NewResponseController(f.Writer).Hijack()
	if err != nil {
		return nil
	}
	return conn
}
