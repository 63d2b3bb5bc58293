// Command latchkey-fleetd is a service of a fleet: it answers the questions of hosts, and is how
// administrators change the fleet. It runs as the user latchkey-fleetd; started by root it becomes
// that user.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"

	"latchkey/pam/fleet/wire"
	"latchkey/pam/unprivileged/harden"
)

// root is a prefix of every path, for tests that build a program of their own (-ldflags -X
// main.root=DIR).
var root string

// version is set by the Makefile.
var version = "devel"

// stateDir is where the secret is, below root.
const stateDir = "/var/lib/latchkey-fleetd"

func main() {
	p := program{root: root, in: os.Stdin, out: os.Stdout, err: os.Stderr}
	err := harden.Memory()
	if err == nil {
		err = become(root + stateDir)
	}
	if err != nil {
		os.Exit(p.report(err))
	}
	os.Exit(p.report(p.run(os.Args[1:])))
}

// program is one run.
type program struct {
	root     string
	in       io.Reader
	out, err io.Writer
}

// Exit statuses.
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
)

// misuse is a command line that means nothing.
type misuse string

func (m misuse) Error() string { return string(m) }

// hinted is an error with what to do next.
type hinted struct {
	error
	hint string
}

func (h hinted) Unwrap() error { return h.error }

func (p *program) report(err error) int {
	if err == nil {
		return exitDone
	}
	fmt.Fprintf(p.err, "latchkey-fleetd: error: %v\n", err)
	var h hinted
	var m misuse
	switch {
	case errors.As(err, &h):
		fmt.Fprintf(p.err, "latchkey-fleetd: hint: %s\n", h.hint)
	case errors.As(err, &m):
		fmt.Fprint(p.err, "latchkey-fleetd: hint: latchkey-fleetd --help\n")
		return exitUsage
	case wire.FaultOf(err) == wire.Unknown:
		fmt.Fprint(p.err, "latchkey-fleetd: hint: is a majority of etcd's nodes running?\n")
	}
	return exitFailed
}
