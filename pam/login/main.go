// Command latchkey-login holds one login: one conversation in, one verdict out.
//
// The gate (pam/gate) starts it as root with a fixed environment and with a socket as descriptor 0, and nothing else. It asks
// for no environment, links no network code, and ends when the host does.
//
// The go:debug lines keep Go's runtime from reading the mount table and the control group at the start of every login, only to
// learn how many processors it may use: the gate tells it to use one.
//
//go:debug containermaxprocs=0
//go:debug updatemaxprocs=0
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/pam/audit"
	"latchkey/pam/factor"
	"latchkey/pam/flow"
	"latchkey/pam/safefile"
	"latchkey/pam/twilio/dispatch"
)

// root is a prefix of every path, for tests that build a login program of their own (-ldflags -X main.root=DIR).
var root string

// lockWait bounds the wait for a user's state: well below the gate's deadline, so that the user is told.
const lockWait = 5 * time.Second

func main() { os.Exit(run(0, root, time.Now)) }

// run holds the login on the socket fd. The exit status says nothing: the gate never looks at it.
func run(fd int, root string, clock func() time.Time) int {
	outliveHost()
	log := audit.Syslog{Path: root + "/dev/log"}
	w := newWire(fd)
	request, err := w.hello()
	if err != nil {
		return refuse(w, log, err)
	}
	talk := &talk{wire: w, clock: clock}
	began := clock()
	outcome := login(request, talk, root, clock, log)
	took := clock().Sub(began) - talk.waited
	if !outcome.Unlogged {
		log.Send(priority(outcome), line(request, outcome, took).String())
	}
	return deliver(w, outcome)
}

// login runs the flow. A crash in it is a denial like any other, with a line in the log.
func login(r flow.Request, talk *talk, root string, clock func() time.Time, log audit.Syslog) (o flow.Outcome) {
	defer func() {
		if crash := recover(); crash != nil {
			o = flow.Outcome{Reason: flow.Internal, Detail: fmt.Sprint("crashed: ", crash)}
		}
	}()
	keyring := factor.NewKeyring(root, safefile.Patience{Limit: lockWait, Gone: talk.wire.hostGone})
	debug := func(text string) { log.Send(audit.Debug, "latchkey: debug: "+text) }
	twilio := &dispatch.Dispatcher{Root: root, Clock: clock, Watched: talk.wire.fd}
	return flow.Flow{Root: root, Keyring: keyring, Clock: clock, Talk: talk, Verifier: twilio, Debug: debug}.Run(r)
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
	log.Send(audit.Warning, line(flow.Request{}, o, 0).String())
	return deliver(w, o)
}

// deliver sends the verdict.
func deliver(w *wire, o flow.Outcome) int {
	verdict := "1 allow"
	if code := o.PAM(); code != 0 {
		verdict = fmt.Sprintf("1 deny %d", code)
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

func line(r flow.Request, o flow.Outcome, took time.Duration) audit.Line {
	method := o.Method
	if method == "" {
		method = "none"
	}
	return audit.Line{
		Allow: o.PAM() == 0, User: r.User, Service: r.Service, From: r.From, Method: method, Device: o.Device,
		Reason: string(o.Reason), Tries: o.Tries, Took: took, Detail: o.Detail,
	}
}
