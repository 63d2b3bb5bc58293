// Command enroll sets up second factors: latchkey's passwd(1).
//
// It is installed setuid root. Before it reads anything it gives itself a fixed environment; it
// works with the caller's rights except where it reads or writes records; and it acts only for the
// caller, unless root calls it.
package main

import (
	"os"
	"os/signal"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"latchkey/enroll/fleet/reach"
	"latchkey/enroll/setuid"
	"latchkey/enroll/terminal"
	"latchkey/pam/accounts"
	"latchkey/pam/audit"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/policy"
	"latchkey/pam/safefile"
	"latchkey/pam/twilio/dispatch"
)

// root is a prefix of every path, for tests that build an enroll of their own (-ldflags -X
// main.root=DIR).
var root string

// lockWait bounds the wait for logins and other enrollments. A holder that does not go on is
// ended before that.
const lockWait = 5 * time.Second

func main() {
	err := terminal.OutputClosed()
	if err == nil {
		err = setuid.CleanStart()
	}
	if err != nil {
		os.Exit(report(os.Stderr, err))
	}
	// A pipe without a reader is an error like any other.
	signal.Notify(make(chan os.Signal, 1), unix.SIGPIPE)
	// Suspended, it could hold a lock or leave a terminal without echo.
	signal.Ignore(unix.SIGTSTP)
	down, err := setuid.Drop(func(err error) { os.Exit(report(os.Stderr, err)) })
	if err != nil {
		os.Exit(report(os.Stderr, err))
	}
	p := newProgram(down, root)
	os.Exit(p.run(os.Args[1:]))
}

// newProgram is the program for the caller whose rights down keeps, on the system below base.
func newProgram(down setuid.Privilege, base string) *program {
	patience := safefile.Patience{Limit: lockWait, Ended: ended(base)}
	p := &program{
		Console:   terminal.New(os.Stdin, os.Stdout, os.Stderr),
		Privilege: down, uid: down.Real, root: base, clock: time.Now,
		keyring: factor.NewKeyring(base, patience),
		newVerifier: func() verifier {
			return &dispatch.Dispatcher{Root: base, Clock: time.Now, Watched: -1}
		},
	}
	// It takes root's rights to tell.
	_ = p.AsRoot(func() error { p.joined = settings.InFleet(base); return nil })
	p.fleet = sync.OnceValue(func() accounts.Accounts { return reach.Accounts(base, p.clock) })
	p.by = sync.OnceValue(p.callerName)
	p.password = p.authenticate
	p.Abort = func(err error) { p.End(func() int { return report(p.Err, err) }) }
	return p
}

// ended logs that a process was ended that held a lock and did not go on. A program that waits for
// a lock is root already.
func ended(base string) func(safefile.Holder) {
	return func(h safefile.Holder) {
		rules, _ := policy.Load(base, policy.DefaultPath) // without one the log is text
		logOf(base, rules).Log(audit.Warning,
			audit.Ended{Process: h.PID, Program: h.Program, UID: h.UID, Lock: h.File})
	}
}
