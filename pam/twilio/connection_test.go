package main_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"latchkey/pam/method"
	"latchkey/pam/twilio/access"
	"latchkey/pam/twilio/protocol"
	"latchkey/pam/twilio/standin"
)

func TestNothingIsSentToAServerThatCannotBeTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		certificate standin.Certificate
		change      func(*access.Settings)
	}{
		"an expired certificate":         {standin.Expired, nil},
		"a self-signed certificate":      {standin.SelfSigned, nil},
		"a certificate for another host": {standin.WrongHost, nil},
		"an authority that the system has not": {standin.Good,
			func(s *access.Settings) { s.CA = "" }},
		"another authority than the one configured": {standin.Good,
			func(s *access.Settings) { s.CA = otherAuthority(t) }},
	} {
		t.Run(name, func(t *testing.T) {
			s := startStandin(t, standin.Options{Certificate: c.certificate})
			settings := s.Settings()
			if c.change != nil {
				c.change(&settings)
			}
			for _, r := range []protocol.Request{
				sendTo(settings, method.SMS), checkOf(settings, otherSID("VE"), "123456"),
				probeOf(settings),
			} {
				if a := want(t, ask(t, r), protocol.Certificate); a.Detail == "" {
					t.Error("the administrator is not told what is wrong")
				}
			}
			if s.Connections() != 3 || len(s.Seen()) != 0 {
				t.Errorf("%d connections, %d requests: %+v", s.Connections(), len(s.Seen()),
					s.Seen())
			}
		})
	}
}

func otherAuthority(t *testing.T) string {
	return startStandin(t,
		standin.Options{}).Settings().CA
}

func TestAuthorityThatCannotBeParsedIsNamedAndNothingIsSent(t *testing.T) {
	s := startStandin(t, standin.Options{})
	settings := s.Settings()
	settings.CA = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
	if a := want(t, ask(t, probeOf(settings)),
		protocol.Certificate); !strings.Contains(a.Detail, "ca_file") {
		t.Errorf("%+v", a)
	}
	if s.Connections() != 0 {
		t.Errorf("%d connections", s.Connections())
	}
}

// listener accepts connections, keeps what they send until they end, and does with each what serve
// says.
type listener struct {
	net.Listener
	mu       sync.Mutex
	opened   int
	received bytes.Buffer
}

func listen(t *testing.T, serve func(net.Conn)) *listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	recording := &listener{Listener: l}
	go recording.accept(serve)
	return recording
}

func (l *listener) accept(serve func(net.Conn)) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		l.mu.Lock()
		l.opened++
		l.mu.Unlock()
		go func() {
			defer conn.Close()
			serve(recorded{conn, l})
		}()
	}
}

func (l *listener) url() string { return "https://" + l.Addr().String() }

// got is how many connections there were and everything that they brought.
func (l *listener) got() (opened int, received string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.opened, l.received.String()
}

type recorded struct {
	net.Conn
	l *listener
}

func (r recorded) Read(p []byte) (int, error) {
	n, err := r.Conn.Read(p)
	r.l.mu.Lock()
	defer r.l.mu.Unlock()
	r.l.received.Write(p[:n])
	return n, err
}

// at returns settings with another base URL.
func at(t *testing.T, base string) access.Settings {
	t.Helper()
	s := startStandin(t, standin.Options{}).Settings()
	s.BaseURL = base
	return s
}

func TestServerWithoutTLSGetsNothingToRead(t *testing.T) {
	l := listen(t, func(c net.Conn) {
		c.Read(make([]byte, 4096))
		io.WriteString(c, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}")
		io.Copy(io.Discard, c)
	})
	r := sendTo(at(t, l.url()), method.SMS)
	want(t, ask(t, r), protocol.Certificate)
	opened, received := l.got()
	if opened != 1 || strings.Contains(received, "POST") ||
		strings.Contains(received, "Authorization") || strings.Contains(received, r.To) {
		t.Errorf("%d connections, %q", opened, received)
	}
}

func TestOldTLSVersionsAreRefused(t *testing.T) {
	config := httptest.NewUnstartedServer(nil)
	config.StartTLS()
	defer config.Close()
	old := &tls.Config{Certificates: config.TLS.Certificates, MinVersion: tls.VersionTLS10,
		MaxVersion: tls.VersionTLS11}
	l := listen(t, func(c net.Conn) { tls.Server(c, old).Handshake() })
	settings := at(t, l.url())
	settings.CA = string(pemOf(config.Certificate()))
	a := want(t, ask(t, sendTo(settings, method.SMS)), protocol.Certificate)
	if !strings.Contains(a.Detail, "version") {
		t.Errorf("%+v", a)
	}
}

func TestUnreachableHostIsReportedAsUnreachable(t *testing.T) {
	closed := listen(t, func(net.Conn) {})
	closed.Close()
	for name, base := range map[string]string{
		"a port that is closed": closed.url(),
		// A label longer than DNS has: it is refused without asking any server.
		"a name that does not exist": "https://" + strings.Repeat("a", 64) + ".invalid",
	} {
		t.Run(name, func(t *testing.T) {
			if a := want(t, ask(t, sendTo(at(t, base), method.SMS)),
				protocol.Unreachable); a.Detail == "" {
				t.Error("the administrator is not told what is wrong")
			}
		})
	}
}

func TestConnectionThatEndsInTheHandshakeIsUnreachable(t *testing.T) {
	l := listen(t, func(c net.Conn) { c.Read(make([]byte, 4096)) })
	want(t, ask(t, sendTo(at(t, l.url()), method.SMS)), protocol.Unreachable)
}

func TestHandshakeThatNeverEndsIsATimeout(t *testing.T) {
	l := listen(t, func(c net.Conn) { io.Copy(io.Discard, c) })
	r := sendTo(at(t, l.url()), method.SMS)
	r.TimeoutMS = short
	if a := want(t, ask(t, r), protocol.Timeout); !strings.Contains(a.Detail, "no connection") {
		t.Errorf("%+v", a)
	}
}

// tunnel is a proxy that connects to wherever it is told, and notes whether it was asked with a
// password.
func tunnel(t *testing.T, authorization *string) *listener {
	return listen(t, func(c net.Conn) {
		request, err := http.ReadRequest(newReader(c))
		if err != nil || request.Method != http.MethodConnect {
			return
		}
		*authorization = request.Header.Get("Proxy-Authorization")
		there, err := net.Dial("tcp", request.Host)
		if err != nil {
			return
		}
		defer there.Close()
		io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\n")
		go io.Copy(there, c)
		io.Copy(c, there)
	})
}

func TestProxyOfTheSettingsIsUsedAndSeesNothing(t *testing.T) {
	var authorization string
	proxy := tunnel(t, &authorization)
	s := startStandin(t, standin.Options{})
	settings := s.Settings()
	settings.Proxy = "http://user:password@" + proxy.Addr().String()
	r := sendTo(settings, method.SMS)
	want(t, ask(t, r), protocol.Sent)
	opened, received := proxy.got()
	if opened != 1 || s.Sends() != 1 || authorization != "Basic dXNlcjpwYXNzd29yZA==" {
		t.Errorf("%d connections to the proxy, %d sends, %q", opened, s.Sends(), authorization)
	}
	if strings.Contains(received, "POST") || strings.Contains(received, settings.APIKey) {
		t.Errorf("the proxy saw %q", received)
	}
}

func TestProxyThatRefusesMakesTheHostUnreachable(t *testing.T) {
	proxy := listen(t, func(c net.Conn) {
		http.ReadRequest(newReader(c))
		io.WriteString(c,
			"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n")
	})
	s := startStandin(t, standin.Options{})
	settings := s.Settings()
	settings.Proxy = "http://user:password@" + proxy.Addr().String()
	a := want(t, ask(t, sendTo(settings, method.SMS)), protocol.Unreachable)
	if s.Connections() != 0 || strings.Contains(a.Detail, "password") {
		t.Errorf("%d connections, %+v", s.Connections(), a)
	}
}

func TestProxyThatIsDownIsNotGoneAround(t *testing.T) {
	down := listen(t, func(net.Conn) {})
	down.Close()
	s := startStandin(t, standin.Options{})
	settings := s.Settings()
	settings.Proxy = "http://" + down.Addr().String()
	want(t, ask(t, sendTo(settings, method.SMS)), protocol.Unreachable)
	if s.Connections() != 0 {
		t.Errorf("%d connections", s.Connections())
	}
}
