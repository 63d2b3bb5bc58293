package service_test

import (
	"bytes"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/service"
	"latchkey/pam/fleet/testfleet"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/sshd/fleet/cluster"
)

func TestRequestsThatAreNoQuestionsGetNoAnswer(t *testing.T) {
	s := newSite(t, 1)
	url := "https://" + s.Services[0].Addr()
	client := s.Client()
	client.Transport.(*http.Transport).DisableKeepAlives = false // the service decides
	good := s.seal(s.web1, "alice", s.code()).Request
	for name, c := range map[string]struct {
		method, path string
		body         []byte
		status       int
	}{
		"nothing": {"POST", service.Path, nil, http.StatusBadRequest},
		"noise":   {"POST", service.Path, bytes.Repeat([]byte{7}, 500), http.StatusBadRequest},
		"cut":     {"POST", service.Path, good[:len(good)-1], http.StatusBadRequest},
		"a lost byte": {"POST", service.Path, slices.Delete(slices.Clone(good), 90, 91),
			http.StatusBadRequest},
		"too long":     {"POST", service.Path, make([]byte, wire.MaxMessage+1), http.StatusBadRequest},
		"GET":          {"GET", service.Path, nil, http.StatusMethodNotAllowed},
		"another path": {"POST", "/", good, http.StatusNotFound},
		"metrics":      {"GET", "/metrics", nil, http.StatusNotFound},
	} {
		r, err := http.NewRequest(c.method, url+c.path, bytes.NewReader(c.body))
		testroot.Must(t, err)
		got, err := client.Do(r)
		testroot.Must(t, err)
		if !got.Close {
			t.Errorf("%s: got a connection that stays open", name)
		}
		if body, _ := io.ReadAll(got.Body); got.StatusCode != c.status || len(body) > 100 {
			t.Errorf("%s: got %s, %d bytes; want %d", name, got.Status, len(body), c.status)
		}
		got.Body.Close()
	}
	got, err := client.Post(url+service.Path, "", bytes.NewReader(good))
	testroot.Must(t, err)
	got.Body.Close()
	if got.Close {
		t.Error("a question: got a connection that is closed")
	}
	s.result(s.web1, "alice", s.code(), authority.Replayed)
}

func TestOlderTLSIsRefused(t *testing.T) {
	s := newSite(t, 1)
	conn, err := tls.Dial("tcp", s.Services[0].Addr(),
		&tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12})
	if err == nil {
		conn.Close()
		t.Error("got a connection with TLS 1.2")
	}
}

// A connection of HTTP/2 may be idle for a minute before its first question, and has no turn.
func TestNoOtherHTTPIsSpokenThanThatOfTheHosts(t *testing.T) {
	s := newSite(t, 1)
	conn, err := tls.Dial("tcp", s.Services[0].Addr(), &tls.Config{InsecureSkipVerify: true,
		NextProtos: []string{"h2", "http/1.1"}})
	testroot.Must(t, err)
	defer conn.Close()
	if got := conn.ConnectionState().NegotiatedProtocol; got != "http/1.1" {
		t.Errorf("got %q, want http/1.1", got)
	}
}

func TestOperationsThatAreNotKnownOrMakeNoSenseAreRefused(t *testing.T) {
	s := newSite(t, 1)
	for op, body := range map[string]any{"": nil, "Guess": nil, "guess": []int{1}, "begin": "x",
		"send": 1, "trust": true, "join": 1} {
		if op == "" {
			op = "nothing"
		}
		a := s.web1.Must(t, wire.Question{Op: op, User: "alice"}, body)
		if a.Fault != wire.Protocol || a.Body != nil {
			t.Errorf("%s: got %q (%s) %s, want protocol", op, a.Fault, a.Text, a.Body)
		}
	}
	for _, code := range []string{"", "12 34 56", strings.Repeat("1", 5000), "ABCDEFGHJK"} {
		s.refused(s.web1, "alice", code, wire.Protocol)
	}
	if st := s.State(t, "alice"); st.Refused.Count != 0 {
		t.Errorf("got %d wrong codes charged, want 0", st.Refused.Count)
	}
}

func TestWithTheSameUIDsARecordIsForOneOfThem(t *testing.T) {
	s := newSite(t, 1, func(f *testfleet.Fleet) {
		f.Change = func(c *service.Config) { c.SameUIDs = true }
	})
	rec := &record.Record{Name: "erin", UID: 1000, Enrollment: state.EnrollmentID{8},
		Devices: []record.Device{phone}}
	s.Save(t, rec, state.State{UID: 1000, Enrollment: rec.Enrollment,
		Devices: []state.Device{{ID: phone.ID}}})
	q, body := testfleet.Guess("erin", s.code())
	q.UID = 1001
	if a := s.web1.Must(t, q, body); a.Fault != "record" {
		t.Errorf("another uid: got %q (%s) %s, want record", a.Fault, a.Text, a.Body)
	}
	q.UID = 1000
	if g := testfleet.Guessed(t, s.web1.Must(t, q, body)); g.Result != authority.Accepted {
		t.Errorf("its uid: got %+v", g)
	}
}

// A question that is being answered is finished; nothing new is accepted.
func TestServiceThatIsEndedFinishesItsQuestions(t *testing.T) {
	s, w := newPhoneSite(t)
	answer := s.asks(s.web1, 0, s.sealSent("dora", w.code))
	s.until("a check", func() bool { return w.checks.Load() > 0 })
	ended := make(chan struct{})
	go func() { s.Services[0].Stop(); close(ended) }()
	s.until("no more questions", func() bool {
		_, err := s.web1.Ask(t, s.Services[0].Addr(), s.seal(s.web1, "alice", s.code()))
		return err != nil
	})
	close(w.goOn)
	if a := <-answer; a.Fault != wire.Done ||
		testfleet.Guessed(t, a).Result != authority.Accepted {
		t.Errorf("got %q %s, want accepted", a.Fault, a.Body)
	}
	<-ended
}

// A question that would have to wait too long is not begun, and the next service may do it.
func TestBusyServiceRefusesBeforeItBegins(t *testing.T) {
	s := &site{Fleet: testfleet.New(t, ""), TB: t}
	s.Start(t, 1)
	s.Change = func(c *service.Config) {
		c.Limits.Transactions, c.Limits.Wait = 0, time.Second
	}
	s.Start(t, 1)
	s.Enroll(t, "alice", phone)
	s.web1 = s.Host(t, "web1", hosts.Verify)
	question := s.seal(s.web1, "alice", s.code())
	if a, err := s.web1.Ask(t, s.Services[1].Addr(), question); err == nil {
		t.Errorf("busy: got %+v, want no answer that ends the login", a)
	}
	a, err := s.web1.Ask(t, s.Services[0].Addr(), question)
	testroot.Must(t, err)
	if got := testfleet.Guessed(t, a); got.Result != authority.Accepted {
		t.Errorf("the next one: got %+v, want that the code was not used up", got)
	}
}

// Anyone can connect and say nothing.
func TestSilentConnectionsKeepNoOneOut(t *testing.T) {
	s := &site{Fleet: testfleet.New(t, ""), TB: t}
	s.Change = func(c *service.Config) {
		c.Limits.Served, c.Limits.Wait, c.Limits.Turn = 1, 4*time.Second, 20*time.Millisecond
	}
	s.Start(t, 1)
	s.Enroll(t, "alice", phone)
	s.web1 = s.Host(t, "web1", hosts.Verify)
	for range 3 {
		silent, err := net.Dial("tcp", s.Services[0].Addr())
		testroot.Must(t, err)
		defer silent.Close()
	}
	s.result(s.web1, "alice", s.code(), authority.Accepted)
}

func TestMetricsCountQuestionsByOperationAndFault(t *testing.T) {
	s := newSite(t, 1)
	s.result(s.web1, "alice", s.wrong(1)[0], authority.Wrong)
	s.refused(s.web1, "nobody", s.code(), "unenrolled")
	s.web1.Must(t, wire.Question{Op: "made-up\"} 1"[:7], User: "alice"}, nil)
	w := httptest.NewRecorder()
	s.Services[0].Metrics(w, nil)
	for _, line := range []string{
		`latchkey_fleetd_questions_total{op="guess",fault=""} 1`,
		`latchkey_fleetd_questions_total{op="guess",fault="unenrolled"} 1`,
		`latchkey_fleetd_questions_total{op="unknown",fault="protocol"} 1`,
		"latchkey_fleetd_answering 1", "latchkey_fleetd_epoch 1",
		"latchkey_fleetd_quarantines_total 0", "latchkey_fleetd_busy_total 0",
		"# TYPE latchkey_fleetd_certificate_until_seconds gauge", "latchkey_fleetd_question_seconds_count 5",
	} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("got no line %q in\n%s", line, w.Body)
		}
	}
}

func TestFullDatabaseIsAFaultOfItsOwn(t *testing.T) {
	c, err := cluster.Start(t.TempDir(), cluster.Options{Quota: 4 << 20})
	testroot.Must(t, err)
	defer c.Close()
	s := &site{Fleet: testfleet.Over(t, c, ""), TB: t}
	s.Start(t, 1)
	s.Enroll(t, "alice", phone)
	s.web1 = s.Host(t, "web1", hosts.Verify)
	s.until("a full database", func() bool {
		_, err := c.Nodes[0].UserCtl(testfleet.Context(t), "put", "/latchkey/1/x",
			strings.Repeat("y", 100_000))
		return err != nil && strings.Contains(err.Error(), "exceeded")
	})
	s.refused(s.web1, "alice", s.code(), wire.Quota)
}
