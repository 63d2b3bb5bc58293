// Package dispatch reaches the services of a fleet by running latchkey-fleet, which has the
// network and no rights.
//
// It is linked into programs that run as root, so it knows processes and pipes, and nothing of any
// network.
package dispatch

import (
	"bytes"
	"errors"
	"slices"
	"time"

	"latchkey/pam/fleet/carrier"
	"latchkey/pam/fleet/settings"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/unprivileged"
)

// Program is where make install puts latchkey-fleet; -ldflags -X
// latchkey/pam/fleet/dispatch.Program=PATH sets it.
var Program = "/usr/libexec/latchkey/latchkey-fleet"

// Dispatcher runs latchkey-fleet for one login or one command.
type Dispatcher struct {
	Root  string // prefix of every path; "" but in tests
	Clock func() time.Time
	// Watched is a socket whose end of file ends a request that is under way; -1 is none.
	Watched int
	// Unlimited: a command of enroll, whose requests are not bounded together.
	Unlimited bool
	budget    unprivileged.Budget
	answered  string // the service that gave the last good answer
}

// Carry brings a request to the services of a fleet and has good judge each answer, until one is
// good. Every error is a *wire.Error; its fault is Unreachable only if latchkey-fleet says that
// there was no connection to any service, and no answer was seen.
func (d *Dispatcher) Carry(s *settings.Settings, request []byte,
	good func(body []byte) bool) error {
	left, ok := d.budget.Next()
	if !ok {
		return wire.Errorf(wire.Unknown, "this login has used up its time for questions")
	}
	services := d.inOrder(s.Services)
	job, err := carrier.Job{Version: carrier.Version, Services: services, CA: s.CA,
		DeadlineMS: int(left / time.Millisecond), Request: request}.Encode()
	if err != nil {
		return wire.Errorf(wire.Internal, "%v", err)
	}
	r := reports{good: good, most: len(s.Services)}
	program := unprivileged.Program{Root: d.Root, Path: Program, Clock: d.Clock,
		Watched: d.Watched, Most: carrier.MaxReports}
	began := d.Clock()
	_, err = program.Run(job, left+unprivileged.Spare, r.take)
	if !d.Unlimited {
		d.budget.Spend(d.Clock().Sub(began))
	}
	if r.accepted && 0 <= r.from && r.from < len(services) {
		d.answered = services[r.from]
	}
	return r.error(err)
}

// inOrder are the services, with the one first that answered the last question: a login waits for
// one that is frozen only once.
func (d *Dispatcher) inOrder(services []string) []string {
	ordered := slices.Clone(services)
	if i := slices.Index(ordered, d.answered); i > 0 {
		ordered = append([]string{d.answered}, slices.Delete(ordered, i, i+1)...)
	}
	return ordered
}

// reports are the lines of latchkey-fleet.
type reports struct {
	good     func(body []byte) bool
	most     int // answers
	read     int // bytes
	seen     int // answers
	accepted bool
	from     int // which service gave the good answer
	end      *carrier.Report
	err      error
}

// take reads the lines that are whole, and reports whether no more are needed.
func (r *reports) take(text []byte) bool {
	for !r.over() {
		line, _, whole := bytes.Cut(text[r.read:], []byte("\n"))
		if !whole {
			return false
		}
		r.read += len(line) + 1
		r.line(line)
	}
	return true
}

func (r *reports) over() bool { return r.accepted || r.end != nil || r.err != nil }

func (r *reports) line(line []byte) {
	report, err := carrier.DecodeReport(line)
	switch {
	case err != nil:
		r.err = err
	case report.Body == nil:
		r.end = &report
	case r.seen == r.most:
		r.err = errors.New("more answers than services")
	default:
		r.seen++
		r.accepted, r.from = r.good(report.Body), report.From
	}
}

// error is what the lines, and the end of the program, come to.
func (r *reports) error(run error) error {
	switch {
	case r.accepted:
		return nil
	case r.err != nil:
		return wire.Errorf(wire.Protocol, "latchkey-fleet: %v", r.err)
	case run != nil:
		return wire.Errorf(wire.Unknown, "latchkey-fleet: %v", run)
	case r.end == nil:
		return wire.Errorf(wire.Unknown, "latchkey-fleet: ended without an answer")
	case r.end.End == wire.Unreachable && r.seen > 0:
		return wire.Errorf(wire.Protocol, "latchkey-fleet: %s after an answer", r.end.End)
	}
	return &wire.Error{Fault: r.end.End, Text: printable(r.end.Text)}
}

// maxText is how much of latchkey-fleet's words goes into the log.
const maxText = 300

// printable is text that comes from the network, fit for the log.
func printable(text string) string {
	ascii := bytes.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return '?'
		}
		return r
	}, []byte(text))
	return string(ascii[:min(len(ascii), maxText)])
}
