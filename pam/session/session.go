// Package session runs one login of a program that the gate starts: it receives the hello,
// delivers the verdict and writes the line in the log.
//
// latchkey-login begins every login. Where the policy has users enroll during a login, it becomes
// latchkey-enroll, which continues on the same socket and decides again from the beginning. So no
// other login contains the code that draws QR codes and writes records.
package session

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/audit"
	"latchkey/pam/factor"
	fleet "latchkey/pam/fleet/dispatch"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/policy"
	"latchkey/pam/safefile"
)

// lockWait bounds the wait for a lock. It is well below the gate's deadline, so that the user is
// told, and longer than it takes to end a holder that makes no progress.
const lockWait = 5 * time.Second

// Session is what a login needs from its process.
type Session struct {
	FD    int    // the socket to the gate
	Root  string // prefix of every path; "" but in tests
	Clock func() time.Time
	// Hello is set for a login that another program began: what TakeOver returned. If nil, the
	// hello comes from the gate.
	Hello []string
	// Enroll enrolls a user who must do so now, and decides the login.
	Enroll func(Enrolling) verdict.Outcome

	carrier fleet.Dispatcher // to the fleet, if the host is one of a fleet
}

// Enrolling is a login in which the user must enroll.
type Enrolling struct {
	flow.Flow
	Hello   []string        // to be handed over
	Keyring *factor.Keyring // the host's own; nil: the host is one of a fleet
	Request flow.Request
	Policy  *policy.Policy
}

// Run conducts the login and returns the exit status of the process, which the gate ignores.
func (s Session) Run() int {
	outliveHost()
	passOnDescriptors()
	log := audit.System(s.Root)
	w := newWire(s.FD)
	request, err := s.hello(w)
	if err != nil {
		return refuse(w, log, err)
	}
	user := &talk{wire: w, clock: s.Clock}
	began := s.Clock()
	after := &news{}
	outcome := s.login(request, user, &log, after)
	took := s.Clock().Sub(began) - user.waited
	if !outcome.Unlogged {
		log.Log(priority(outcome), request.Line(outcome, took))
	}
	status := deliver(w, outcome)
	s.carrier.End()
	after.tell(s.Root, log, request, outcome)
	return status
}

// hello returns the request of the gate, directly or as another program handed it over.
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
func (s *Session) login(r flow.Request, user *talk, log *audit.Syslog,
	after *news) (o verdict.Outcome) {
	defer func() {
		if crash := recover(); crash != nil {
			o = verdict.Outcome{Reason: verdict.Internal, Detail: fmt.Sprint("crashed: ", crash)}
		}
	}()
	patience := safefile.Patience{Limit: lockWait, Gone: user.wire.hostGone, Ended: logEnded(log)}
	accounts, own := s.accounts(user.wire.fd, patience)
	defer s.carrier.Stop() // it ends while the verdict is logged and delivered
	f := flow.Flow{
		Root: s.Root, Host: hostname(), Authority: accounts, Clock: s.Clock, Talk: user,
		Debug:  func(text string) { log.Send(audit.Debug, "latchkey: debug: "+text) },
		Notify: after.add,
		LogAs:  func(as policy.LogFormat) { log.JSON = as == policy.LogJSON },
	}
	if o = f.Run(r); o.Reason == verdict.MustEnroll {
		s.carrier.End() // which the program that enrolls would not know of
		return s.Enroll(Enrolling{Flow: f, Hello: s.Hello, Keyring: own, Request: r,
			Policy: o.Policy})
	}
	return o
}

// hostname is this machine's, or nothing if that cannot be told: it decides only where a line of a
// prompt is broken.
func hostname() string {
	name, _ := os.Hostname()
	return name
}

// logEnded returns a function that logs which process was ended because it held a lock and made no
// progress.
func logEnded(log *audit.Syslog) func(safefile.Holder) {
	return func(h safefile.Holder) {
		log.Log(audit.Warning,
			audit.Ended{Process: h.PID, Program: h.Program, UID: h.UID, Lock: h.File})
	}
}

// outliveHost clears the death signal, which the gate sets so that no login program outlives its
// host before it runs. From here on, the end of the socket says that the host is gone, and a login
// that ends that way still gets its line in the log. This works on the thread that execve made,
// where main begins; on another thread it would do nothing, and a login whose host is gone would
// merely go unlogged.
func outliveHost() { unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0) }

// refuse denies a login whose hello could not be read.
func refuse(w *wire, log audit.Syslog, err error) int {
	if errors.Is(err, io.EOF) {
		return 1
	}
	o := verdict.Outcome{Reason: verdict.Internal, Detail: err.Error()}
	log.Log(audit.Warning, flow.Request{}.Line(o, 0))
	return deliver(w, o)
}

// deliver sends the verdict to the gate.
func deliver(w *wire, o verdict.Outcome) int {
	if w.send('V', wireVersion+" "+said(o)) != nil {
		return 1
	}
	return 0
}

// said returns the outcome as WIRE.md has verdicts.
func said(o verdict.Outcome) string {
	switch code := o.PAM(); {
	case code == 0:
		return "allow"
	case o.Reason == verdict.Split:
		return fmt.Sprintf("cut %d %d", o.Cut.Code, o.Cut.Comma)
	default:
		return fmt.Sprintf("deny %d", code)
	}
}

func priority(o verdict.Outcome) int {
	switch {
	case o.Reason == verdict.Offline:
		return audit.Alert
	case o.PAM() == 0:
		return audit.Notice
	}
	return audit.Warning
}

// passOnDescriptors has the programs that this one starts, or becomes, begin with as many descriptors
// as it may have. The gate leaves it three; Go raises that for itself alone, and would give it back
// to what it starts.
func passOnDescriptors() {
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &limit) // as it is: Go then restores none
	}
}
