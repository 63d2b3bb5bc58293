package main

import (
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/testroot"
)

// service is one that answers.
func service(t *testing.T, answers http.HandlerFunc) *httptest.Server {
	t.Helper()
	s := httptest.NewUnstartedServer(answers)
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	s.StartTLS()
	t.Cleanup(s.Close)
	return s
}

// says answers every request alike.
func says(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, body) }
}

func certificate(s *httptest.Server) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE",
		Bytes: s.Certificate().Raw}))
}

// refused is a service where no one listens.
func refused(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	l.Close()
	return "https://" + l.Addr().String()
}

// accepting is a service that accepts connections and does the same to each.
func accepting(t *testing.T, do func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { conn.Close() })
			do(conn)
		}
	}()
	return "https://" + l.Addr().String()
}

// frozen is a service whose kernel accepts connections, and that does nothing.
func frozen(t *testing.T) string { return accepting(t, func(net.Conn) {}) }

// full is a service whose queue of connections is full, so that no more are made.
func full(t *testing.T) string {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	testroot.Must(t, err)
	t.Cleanup(func() { unix.Close(fd) })
	testroot.Must(t, unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}))
	testroot.Must(t, unix.Listen(fd, 0))
	bound, err := unix.Getsockname(fd)
	testroot.Must(t, err)
	for range 4 {
		c, err := unix.Socket(unix.AF_INET,
			unix.SOCK_STREAM|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, 0)
		testroot.Must(t, err)
		t.Cleanup(func() { unix.Close(c) })
		unix.Connect(c, bound)
	}
	port := bound.(*unix.SockaddrInet4).Port
	return "https://" + (&net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port}).String()
}

// carried runs the helper and returns its reports, the last of which is the end.
func carried(t *testing.T, job carrier.Job) (reports []carrier.Report) {
	t.Helper()
	job.Version, job.Request = carrier.Version, []byte("sealed")
	if job.DeadlineMS == 0 {
		job.DeadlineMS = 10_000
	}
	text, err := job.Encode()
	testroot.Must(t, err)
	var out bytes.Buffer
	if status := run(bytes.NewReader(text), &out, 200*time.Millisecond); status != 0 {
		t.Fatalf("got exit status %d", status)
	}
	for line := range strings.Lines(out.String()) {
		r, err := carrier.DecodeReport([]byte(strings.TrimSuffix(line, "\n")))
		testroot.Must(t, err)
		reports = append(reports, r)
	}
	if len(reports) == 0 || reports[len(reports)-1].End == "" {
		t.Fatalf("got %+v, want an end", reports)
	}
	return reports
}

func TestRequestIsBroughtAsItIsAndTheAnswerTakenAsItIs(t *testing.T) {
	answer := string([]byte{0, 1, 0xff}) + strings.Repeat("x", wire.MaxMessage-3)
	s := service(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.Method != "POST" || r.URL.Path != "/v1/ask" || string(body) != "sealed" ||
			r.Header.Get("Content-Type") != "application/octet-stream" || r.TLS.Version !=
			tls.VersionTLS13 {
			t.Errorf("got %s %s %v %q", r.Method, r.URL, r.Header, body)
		}
		io.WriteString(w, answer)
	})
	got := carried(t, carrier.Job{Services: []string{s.URL}, CA: certificate(s)})
	if len(got) != 2 || string(got[0].Body) != answer {
		t.Errorf("got %d reports, want the answer and the end", len(got))
	}
}

func TestNextServiceIsAskedIfOneFailsOrIsSlow(t *testing.T) {
	good := service(t, says("good"))
	for name, first := range map[string]string{
		"refused": refused(t), "frozen": frozen(t), "full": full(t),
		"reset": accepting(t, func(c net.Conn) { c.Close() }),
	} {
		got := carried(t, carrier.Job{Services: []string{first, good.URL}, CA: certificate(good),
			DeadlineMS: 900})
		if len(got) != 2 || string(got[0].Body) != "good" || got[0].From != 1 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestEveryAnswerIsHandedBack(t *testing.T) {
	var asked atomic.Int32
	bad := service(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		io.WriteString(w, "bad")
	})
	got := carried(t, carrier.Job{Services: []string{bad.URL, bad.URL, bad.URL},
		CA: certificate(bad)})
	if len(got) != 4 || asked.Load() != 3 || got[3].End != wire.Protocol {
		t.Errorf("got %+v after %d requests; want three answers and an end", got, asked.Load())
	}
}

// What some services write in place of an answer.
var (
	cut     = "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nx"
	endless = "HTTP/1.1 200 OK\r\nA: " + strings.Repeat("x", 90000)
)

// The faults of a fleet: only the first two rows of this table may lead to break-glass.
func TestEndSaysWhetherAnyServiceWasConnectedTo(t *testing.T) {
	tls12 := httptest.NewUnstartedServer(says("x"))
	tls12.TLS = &tls.Config{MaxVersion: tls.VersionTLS12}
	tls12.Config.ErrorLog = log.New(io.Discard, "", 0)
	tls12.StartTLS()
	t.Cleanup(tls12.Close)
	status := func(code int) string {
		return service(t, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(code)
			io.WriteString(w, "x")
		}).URL
	}
	hijacked := func(text string) string {
		return service(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := w.(http.Hijacker).Hijack()
			testroot.Must(t, err)
			io.WriteString(conn, text)
			conn.Close()
		}).URL
	}
	ca := certificate(service(t, says("x")))
	plain := accepting(t, func(c net.Conn) { io.WriteString(c, "HTTP/1.1 200 OK\r\n\r\nok") })
	named := strings.Replace(service(t, says("x")).URL, "127.0.0.1", "localhost", 1)
	long := service(t, says(strings.Repeat("x", wire.MaxMessage+1))).URL
	closed := accepting(t, func(c net.Conn) { c.Close() })
	for name, c := range map[string]struct {
		service string
		want    wire.Fault
	}{
		"no one listens":          {refused(t), wire.Unreachable},
		"a connection times out":  {full(t), wire.Unreachable},
		"frozen":                  {frozen(t), wire.Unknown},
		"closed at once":          {closed, wire.Protocol},
		"no TLS":                  {plain, wire.Protocol},
		"TLS 1.2":                 {tls12.URL, wire.Protocol},
		"another name":            {named, wire.Protocol},
		"status 500":              {status(500), wire.Protocol},
		"status 503":              {status(503), wire.Protocol},
		"status 404":              {status(404), wire.Protocol},
		"status 201":              {status(201), wire.Protocol},
		"a redirection":           {status(307), wire.Protocol},
		"an empty answer":         {service(t, says("")).URL, wire.Protocol},
		"too long an answer":      {long, wire.Protocol},
		"no HTTP":                 {hijacked("hello\r\n\r\n"), wire.Protocol},
		"a connection that ends":  {hijacked(""), wire.Unknown},
		"an answer that is cut":   {hijacked(cut), wire.Unknown},
		"a header without an end": {hijacked(endless), wire.Unknown},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, services := range [][]string{{c.service}, {refused(t), c.service},
				{c.service, refused(t)}} {
				got := carried(t, carrier.Job{Services: services, CA: ca, DeadlineMS: 1200})
				if len(got) != 1 || got[0].End != c.want || got[0].Text == "" {
					t.Errorf("got %+v, want %s", got, c.want)
				}
			}
		})
	}
}

func TestServiceIsTrustedOnlyByTheAuthoritiesOfTheJob(t *testing.T) {
	s := service(t, says("x"))
	for name, ca := range map[string]string{
		"none": "", "text": "text", "not a certificate": "-----BEGIN CERTIFICATE-----\nAAAA\n" +
			"-----END CERTIFICATE-----\n",
	} {
		got := carried(t, carrier.Job{Services: []string{s.URL}, CA: ca})
		if len(got) != 1 || got[0].End != wire.Protocol || !strings.Contains(got[0].Text, "x509") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestServiceForWhichNoTimeIsLeftMayNotBeUnreachable(t *testing.T) {
	for _, services := range [][]string{{full(t)}, {refused(t), full(t)}, {full(t), full(t)},
		{full(t), refused(t), full(t)}} {
		got := carried(t, carrier.Job{Services: services, CA: "x", DeadlineMS: 150})
		if len(got) != 1 || got[0].End != wire.Unknown ||
			!strings.Contains(got[0].Text, "no time left") {
			t.Errorf("got %+v", got)
		}
	}
}

func TestMalformedJobIsNotAnswered(t *testing.T) {
	for _, text := range []string{"", "{}", "x", `{"version":2}`, strings.Repeat(" ", 1<<20),
		`{"version":1,"services":[],"ca":"","deadline_ms":1,"request":"eA=="}`,
		`{"version":1,"services":["https://127.0.0.1:1"],"ca":"","deadline_ms":0,"request":"eA=="}`,
		`{"version":1,"services":["https://127.0.0.1:1"],"ca":"","deadline_ms":1,"request":""}`} {
		var out bytes.Buffer
		if status := run(strings.NewReader(text), &out, time.Second); status == 0 || out.Len() > 0 {
			t.Errorf("%.40q: got status %d and %q", text, status, out.String())
		}
	}
}
