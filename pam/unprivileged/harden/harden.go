// Package harden is what programs that open network connections do first.
package harden

import (
	"os"
	"slices"
	"time"

	"golang.org/x/sys/unix"
)

// Environment is all that these programs have in theirs. All they do at the same time is wait, and
// threads for a second processor cost half a millisecond of a login, a third of it before main.
var Environment = []string{"GOMAXPROCS=1"}

// Process comes first in a program that opens network connections, whose name and longest life it
// is given. The timer ends it then; a program that does one thing after the other resets it.
//
// The environment must be Environment: latchkey-login sees to it. If the program is started in
// another way it restarts itself with that, because changing it here would be too late: before main,
// net/http has already read GODEBUG (http2debug=1 prints credentials) and the runtime GOTRACEBACK.
// So there are no SSL_CERT_FILE, HTTPS_PROXY or TWILIO_EDGE either.
//
// Other processes of the same unprivileged user must not read the program's memory, trace it or
// open its pipes, and no core file may have what it knows: the process is not dumpable and keeps
// no way to get privileges. Installed without permission to read it (0711) it is not dumpable from
// its first instruction on, which closes the moment before.
func Process(name string, lifetime time.Duration) (life *time.Timer, err error) {
	if !slices.Equal(os.Environ(), Environment) {
		return nil, unix.Exec("/proc/self/exe", []string{name}, Environment)
	}
	if err := Memory(); err != nil {
		return nil, err
	}
	return time.AfterFunc(lifetime, func() { os.Exit(1) }), nil
}

// Memory is the part of Process that a program without a longest life does first.
func Memory() error {
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return err
	}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{})
}
