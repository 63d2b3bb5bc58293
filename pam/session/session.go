// Package session is one login of a program that the gate starts: hello in, verdict out, a line in the log.
//
// latchkey-login begins every login. Where the policy has users enroll inside it, it becomes latchkey-enroll, which goes on
// with the same socket and decides once more from the beginning. So what draws QR codes and writes records is not there
// in any other login.
package session

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/audit"
	"latchkey/pam/factor"
	"latchkey/pam/flow"
	"latchkey/pam/policy"
	"latchkey/pam/safefile"
	"latchkey/pam/twilio/dispatch"
)

// lockWait bounds the wait for a lock: well below the gate's deadline, so that the user is told, and longer than it takes until a
// holder that does not go on is ended.
const lockWait = 5 * time.Second

// Session is what a login needs from its process.
type Session struct {
	FD    int    // the socket to the gate
	Root  string // prefix of every path; "" but in tests
	Clock func() time.Time
	// Hello is the gate's, of a login that another program began, as Handover gives it; nil: it comes from the gate.
	Hello []string
	// Enroll sets a user up who must enroll, and decides the login. It gets the hello, to hand it over.
	Enroll func(hello []string, f flow.Flow, r flow.Request, p *policy.Policy) flow.Outcome
}

// Run holds the login and returns the exit status of the process, which says nothing: the gate never looks at it.
func (s Session) Run() int {
	outliveHost()
	log := audit.Syslog{Path: s.Root + "/dev/log"}
	w := newWire(s.FD)
	request, err := s.hello(w)
	if err != nil {
		return refuse(w, log, err)
	}
	talk := &talk{wire: w, clock: s.Clock}
	began := s.Clock()
	outcome := s.login(request, talk, log)
	took := s.Clock().Sub(began) - talk.waited
	if !outcome.Unlogged {
		log.Send(priority(outcome), outcome.Line(request, took).String())
	}
	return deliver(w, outcome)
}

// hello is the gate's, or what another program made of it.
func (s *Session) hello(w *wire) (flow.Request, error) {
	if s.Hello == nil {
		var err error
		if s.Hello, err = w.hello(); err != nil {
			return flow.Request{}, err
		}
	}
	return parseHello(s.Hello)
}

// login runs the flow. A crash in it is a denial like any other, with a line in the log.
func (s *Session) login(r flow.Request, talk *talk, log audit.Syslog) (o flow.Outcome) {
	defer func() {
		if crash := recover(); crash != nil {
			o = flow.Outcome{Reason: flow.Internal, Detail: fmt.Sprint("crashed: ", crash)}
		}
	}()
	f := flow.Flow{
		Root: s.Root, Clock: s.Clock, Talk: talk,
		Keyring:  factor.NewKeyring(s.Root, safefile.Patience{Limit: lockWait, Gone: talk.wire.hostGone, Ended: ended(log)}),
		Verifier: &dispatch.Dispatcher{Root: s.Root, Clock: s.Clock, Watched: talk.wire.fd},
		Debug:    func(text string) { log.Send(audit.Debug, "latchkey: debug: "+text) },
	}
	if o = f.Run(r); o.Reason == flow.MustEnroll {
		return s.Enroll(s.Hello, f, r, o.Policy)
	}
	return o
}

// ended logs that a process was ended that held a lock and did not go on.
func ended(log audit.Syslog) func(safefile.Holder) {
	return func(h safefile.Holder) {
		log.Send(audit.Warning, audit.Ended{Process: h.PID, Program: h.Program, UID: h.UID, Lock: h.File}.String())
	}
}

// outliveHost takes back the death signal with which the gate made sure that no login program outlives its host before it
// runs. From here on the end of the socket says that the host is gone, and a login that ends that way still gets its line
// in the log. It works on the thread that execve made, where main begins; on another thread it would do nothing, and
// a login whose host is gone would merely go unlogged.
func outliveHost() { unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) }

// refuse ends a login whose hello was no hello.
func refuse(w *wire, log audit.Syslog, err error) int {
	if errors.Is(err, io.EOF) {
		return 1
	}
	o := flow.Outcome{Reason: flow.Internal, Detail: err.Error()}
	log.Send(audit.Warning, o.Line(flow.Request{}, 0).String())
	return deliver(w, o)
}

// deliver sends the verdict.
func deliver(w *wire, o flow.Outcome) int {
	verdict := wireVersion + " allow"
	if code := o.PAM(); code != 0 {
		verdict = fmt.Sprintf("%s deny %d", wireVersion, code)
	}
	if w.send('V', verdict) != nil {
		return 1
	}
	return 0
}

func priority(o flow.Outcome) int {
	if o.PAM() == 0 {
		return audit.Notice
	}
	return audit.Warning
}
