package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
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

// program is the helper, which is given one job after the other.
type program struct {
	t    *testing.T
	in   *io.PipeWriter
	out  *bufio.Reader
	life []time.Duration // that it was allowed; to be read once it has ended
	// confined is how often it has confined itself; likewise
	confined int
	end      func()
}

func start(t *testing.T) *program {
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	p := &program{t: t, in: inW, out: bufio.NewReader(outR)}
	ended := make(chan int, 1)
	go func() {
		ended <- run(inR, outW, time.Second, process{
			live:    func(d time.Duration) { p.life = append(p.life, d) },
			confine: func(services []string) error { p.confined++; return nil }})
	}()
	p.end = sync.OnceFunc(func() {
		inW.Close()
		if status := <-ended; status != 0 {
			t.Errorf("got exit status %d", status)
		}
	})
	t.Cleanup(p.end)
	return p
}

// tells gives it a job.
func (p *program) tells(job carrier.Job) {
	p.t.Helper()
	job.Version = carrier.Version
	if job.DeadlineMS == 0 {
		job.DeadlineMS = 10_000
	}
	text, err := job.Encode()
	testroot.Must(p.t, err)
	_, err = p.in.Write(text)
	testroot.Must(p.t, err)
}

// opens gives it the job's opening.
func (p *program) opens(job carrier.Job) {
	p.t.Helper()
	job.Request = nil
	p.tells(job)
}

// carries gives it a job and returns the report.
func (p *program) carries(job carrier.Job) carrier.Report {
	p.t.Helper()
	if job.Request == nil {
		job.Request = []byte("sealed")
	}
	p.tells(job)
	line, err := p.out.ReadBytes('\n')
	testroot.Must(p.t, err)
	r, err := carrier.DecodeReport(bytes.TrimSuffix(line, []byte("\n")))
	testroot.Must(p.t, err)
	return r
}

func carried(t *testing.T, job carrier.Job) carrier.Report {
	t.Helper()
	return start(t).carries(job)
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
	if string(got.Body) != answer {
		t.Errorf("got %.40q of %d bytes", got.Body, len(got.Body))
	}
}

func TestNextServiceIsAskedIfOneFailsOrIsSlow(t *testing.T) {
	good := service(t, says("good"))
	for name, first := range map[string]string{
		"refused": refused(t), "frozen": frozen(t), "full": full(t),
		"reset": accepting(t, func(c net.Conn) { c.Close() }),
	} {
		got := carried(t, carrier.Job{Services: []string{first, good.URL}, CA: certificate(good)})
		if string(got.Body) != "good" || got.From != 1 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestFirstAnswerEndsTheJob(t *testing.T) {
	var asked atomic.Int32
	bad := service(t, func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		io.WriteString(w, "bad")
	})
	got := carried(t, carrier.Job{Services: []string{bad.URL, bad.URL, bad.URL},
		CA: certificate(bad)})
	if string(got.Body) != "bad" || got.From != 0 || asked.Load() != 1 {
		t.Errorf("got %+v after %d requests; want one answer", got, asked.Load())
	}
}

// counting is a service that counts its connections, each of which it ends after some answers.
func counting(t *testing.T, answers int32) (s *httptest.Server, connections *atomic.Int32) {
	var given atomic.Int32
	connections = new(atomic.Int32)
	s = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if given.Add(1)%answers == 0 {
			w.Header().Set("Connection", "close")
		}
		w.Write(append(body, '!'))
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			connections.Add(1)
		}
	}
	s.StartTLS()
	t.Cleanup(s.Close)
	return s, connections
}

func TestConnectionIsKeptForTheNextJob(t *testing.T) {
	s, connections := counting(t, 3)
	p := start(t)
	for i, want := range []int32{1, 1, 1, 2, 2} {
		request := fmt.Sprint("question ", i)
		got := p.carries(carrier.Job{Services: []string{s.URL}, CA: certificate(s),
			Request: []byte(request)})
		if string(got.Body) != request+"!" || connections.Load() != want {
			t.Errorf("job %d: got %+v over %d connections, want %d", i, got, connections.Load(),
				want)
		}
	}
	p.end()
	if len(p.life) != 10 || p.life[0] != carrier.MaxDeadline+spare ||
		p.life[1] != carrier.Idle {
		t.Errorf("got lives %v", p.life)
	}
}

// A service that ended a connection while no one used it is connected to once more.
func TestConnectionThatHasEndedIsReplaced(t *testing.T) {
	s, connections := counting(t, 1000)
	p := start(t)
	job := carrier.Job{Services: []string{s.URL}, CA: certificate(s)}
	for want := int32(1); want <= 2; want++ {
		got := p.carries(job)
		if string(got.Body) != "sealed!" || connections.Load() != want {
			t.Errorf("got %+v over %d connections, want %d", got, connections.Load(), want)
		}
		s.CloseClientConnections()
	}
}

// The connection is there before the request is, and the only one.
func TestOpeningConnectsAndTheNextJobUsesThat(t *testing.T) {
	shaken := make(chan struct{}, 2)
	s := httptest.NewUnstartedServer(says("good"))
	s.TLS = &tls.Config{VerifyConnection: func(tls.ConnectionState) error {
		shaken <- struct{}{}
		return nil
	}}
	s.StartTLS()
	t.Cleanup(s.Close)
	p := start(t)
	job := carrier.Job{Services: []string{s.URL, refused(t)}, CA: certificate(s)}
	p.opens(job)
	<-shaken
	for range 2 {
		if got := p.carries(job); string(got.Body) != "good" || got.From != 0 {
			t.Errorf("got %+v", got)
		}
	}
	if len(shaken) > 0 {
		t.Error("got another connection for the job")
	}
}

// An opening to a service that fails or hangs is no reason to wait: the next is asked as ever.
func TestNextServiceIsAskedIfTheOpeningFailsOrIsSlow(t *testing.T) {
	good := service(t, says("good"))
	for name, first := range map[string]string{"refused": refused(t), "frozen": frozen(t),
		"full": full(t), "reset": accepting(t, func(c net.Conn) { c.Close() })} {
		p := start(t)
		job := carrier.Job{Services: []string{first, good.URL}, CA: certificate(good)}
		p.opens(job)
		if got := p.carries(job); string(got.Body) != "good" || got.From != 1 {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestOpeningWithOtherAuthoritiesIsNotUsed(t *testing.T) {
	s := service(t, says("x"))
	p := start(t)
	p.opens(carrier.Job{Services: []string{s.URL}, CA: certificate(s)})
	got := p.carries(carrier.Job{Services: []string{s.URL}, CA: "none"})
	if got.End != wire.Protocol || !strings.Contains(got.Text, "x509") {
		t.Errorf("got %+v", got)
	}
}

// There was a connection, so its end is never that of an unreachable fleet.
func TestServiceThatGoesAwayAfterTheOpeningIsNotUnreachable(t *testing.T) {
	accepted := make(chan net.Conn)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	testroot.Must(t, err)
	go func() {
		conn, _ := l.Accept()
		l.Close()
		accepted <- conn
	}()
	p := start(t)
	job := carrier.Job{Services: []string{"https://" + l.Addr().String()}, CA: "x"}
	p.opens(job)
	(<-accepted).Close()
	if got := p.carries(job); got.End != wire.Protocol && got.End != wire.Unknown {
		t.Errorf("got %+v, want a fault after a connection", got)
	}
}

func TestServiceThatWentAwayBetweenJobsIsUnreachable(t *testing.T) {
	s, _ := counting(t, 1000)
	p := start(t)
	job := carrier.Job{Services: []string{s.URL}, CA: certificate(s)}
	if got := p.carries(job); string(got.Body) != "sealed!" {
		t.Fatalf("got %+v", got)
	}
	s.CloseClientConnections()
	s.Listener.Close()
	if got := p.carries(job); got.End != wire.Unreachable {
		t.Errorf("got %+v, want unreachable", got)
	}
}

// It has the request, and can be connected to no longer.
func TestServiceThatGoesAwayDuringAJobIsNotUnreachable(t *testing.T) {
	var s *httptest.Server
	var asked atomic.Int32
	s = service(t, func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) == 1 {
			io.WriteString(w, "good")
			return
		}
		s.Listener.Close()
		conn, _, err := w.(http.Hijacker).Hijack()
		testroot.Must(t, err)
		conn.Close()
	})
	p := start(t)
	job := carrier.Job{Services: []string{s.URL}, CA: certificate(s)}
	if got := p.carries(job); string(got.Body) != "good" {
		t.Fatalf("got %+v", got)
	}
	if got := p.carries(job); got.End != wire.Unknown {
		t.Errorf("got %+v, want unknown", got)
	}
}

func TestConnectionIsNotKeptForOtherAuthorities(t *testing.T) {
	s, _ := counting(t, 1000)
	p := start(t)
	if got := p.carries(carrier.Job{Services: []string{s.URL}, CA: certificate(s)}); got.End != "" {
		t.Fatalf("got %+v", got)
	}
	got := p.carries(carrier.Job{Services: []string{s.URL}, CA: "none"})
	if got.End != wire.Protocol || !strings.Contains(got.Text, "x509") {
		t.Errorf("got %+v", got)
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
			deadline := 0
			if name == "frozen" { // the others end before theirs
				deadline = 1200
			}
			for _, services := range [][]string{{c.service}, {refused(t), c.service},
				{c.service, refused(t)}} {
				got := carried(t, carrier.Job{Services: services, CA: ca, DeadlineMS: deadline})
				if got.End != c.want || got.Text == "" {
					t.Errorf("got %+v, want %s", got, c.want)
				}
			}
			p, job := start(t), carrier.Job{Services: []string{c.service}, CA: ca,
				DeadlineMS: deadline}
			p.opens(job)
			if got := p.carries(job); got.End != c.want || got.Text == "" {
				t.Errorf("after an opening: got %+v, want %s", got, c.want)
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
		if got.End != wire.Protocol || !strings.Contains(got.Text, "x509") {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

func TestServiceForWhichNoTimeIsLeftMayNotBeUnreachable(t *testing.T) {
	for _, services := range [][]string{{full(t)}, {refused(t), full(t)}, {full(t), full(t)},
		{full(t), refused(t), full(t)}} {
		job := carrier.Job{Services: services, CA: "x", DeadlineMS: 150}
		got := carried(t, job)
		if got.End != wire.Unknown || !strings.Contains(got.Text, "no time left") {
			t.Errorf("got %+v", got)
		}
		opened := start(t)
		opened.opens(job)
		if got := opened.carries(job); got.End != wire.Unknown {
			t.Errorf("after an opening: got %+v", got)
		}
	}
}

func TestMalformedJobIsNotAnswered(t *testing.T) {
	for _, text := range []string{"\n", "{}\n", "x\n", "{\"version\":2}\n", "{}",
		strings.Repeat(" ", 1<<20),
		`{"version":1,"services":[],"ca":"","deadline_ms":1,"request":"eA=="}` + "\n",
		`{"version":1,"services":["https://127.0.0.1:1"],"ca":"","deadline_ms":0,"request":"eA=="}
`,
		`{"version":1,"services":["https://127.0.0.1:1"],"ca":"","deadline_ms":1,"request":"eA=="}`,
	} {
		var out bytes.Buffer
		status := run(strings.NewReader(text), &out, time.Second,
			process{func(time.Duration) {}, func([]string) error { return nil }})
		if status == 0 || out.Len() > 0 {
			t.Errorf("%.40q: got status %d and %q", text, status, out.String())
		}
	}
}
