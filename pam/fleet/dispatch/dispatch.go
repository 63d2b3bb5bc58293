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
	// Keep keeps the program and its connection for the next request, until End: a login asks when
	// it begins, and again once the user has typed a code.
	Keep bool
	// Meanwhile, if set, is called once, while the first answer is waited for.
	Meanwhile func()

	budget   unprivileged.Budget
	answered string // the service that gave the last good answer
	running  *unprivileged.Running
	opened   bool // running was told which services there are
	rested   bool // running was kept, and asked nothing since
}

// Carry brings a request to the services of a fleet and has good judge each answer, until one is
// good. Every error is a *wire.Error; its fault is Unreachable only if latchkey-fleet says that
// there was no connection to any service, and no answer was seen.
func (d *Dispatcher) Carry(s *settings.Settings, request []byte,
	good func(body []byte) bool) error {
	left, ok := d.budget.Next(wire.AnswerTime)
	if !ok {
		d.End()
		return wire.Errorf(wire.Unknown, "this login has used up its time for questions")
	}
	began := d.Clock()
	err := d.carry(s, request, began.Add(left), good)
	if !d.Unlimited {
		d.budget.Spend(d.Clock().Sub(began))
	}
	if d.rested = d.Keep && err == nil; !d.rested {
		d.End()
	}
	return err
}

// carry asks until an answer is good, each time those services of which none was seen yet.
func (d *Dispatcher) carry(s *settings.Settings, request []byte, until time.Time,
	good func(body []byte) bool) error {
	services, seen := d.inOrder(s.Services), false
	for len(services) > 0 {
		report, err := d.ask(d.job(s, services, request), until)
		switch {
		case err != nil:
			return err
		case report.Body == nil && report.End == wire.Unreachable && seen:
			return wire.Errorf(wire.Protocol, "latchkey-fleet: %s after an answer", report.End)
		case report.Body == nil:
			return &wire.Error{Fault: report.End, Text: printable(report.Text)}
		case report.From < 0 || report.From >= len(services):
			return wire.Errorf(wire.Protocol, "latchkey-fleet: an answer of no service")
		case good(report.Body):
			d.answered = services[report.From]
			return nil
		}
		services, seen = slices.Delete(services, report.From, report.From+1), true
	}
	return wire.Errorf(wire.Protocol, "latchkey-fleet: no answer was good")
}

func (d *Dispatcher) job(s *settings.Settings, services []string, request []byte) carrier.Job {
	return carrier.Job{Version: carrier.Version, Services: services, CA: s.CA, Request: request}
}

// ask gives latchkey-fleet a job, and starts it for that if need be. One that was kept and has
// ended meanwhile is started once more: the same request is done only once. The first one may have
// brought it to a service, so then the fleet does not count as unreachable.
func (d *Dispatcher) ask(job carrier.Job, until time.Time) (carrier.Report, error) {
	left := until.Sub(d.Clock())
	text, err := within(left, job)
	if err != nil {
		return carrier.Report{}, err
	}
	line, err := d.exchange(text, left+unprivileged.Spare)
	again := d.rested && errors.Is(err, unprivileged.ErrEnded)
	if again {
		d.End()
		line, err = d.exchange(text, until.Sub(d.Clock())+unprivileged.Spare)
	}
	if err != nil {
		return carrier.Report{}, wire.Errorf(wire.Unknown, "latchkey-fleet: %v", err)
	}
	d.rested = false
	report, err := carrier.DecodeReport(line)
	if err != nil {
		return carrier.Report{}, wire.Errorf(wire.Protocol, "latchkey-fleet: %v", err)
	}
	if again && report.End == wire.Unreachable {
		report.End = wire.Unknown
	}
	return report, nil
}

// within is the text of a job that may take so long.
func within(left time.Duration, job carrier.Job) ([]byte, error) {
	job.DeadlineMS = max(1, int(left/time.Millisecond))
	text, err := job.Encode()
	if err != nil {
		return nil, wire.Errorf(wire.Internal, "%v", err)
	}
	return text, nil
}

func (d *Dispatcher) exchange(text []byte, limit time.Duration) ([]byte, error) {
	if err := d.Start(); err != nil {
		return nil, err
	}
	d.opened = true
	if prepare := d.Meanwhile; prepare != nil {
		d.running.Tell(text)
		text, d.Meanwhile = nil, nil
		prepare()
	}
	return d.running.Ask(text, limit)
}

// Start starts latchkey-fleet, if it does not run.
func (d *Dispatcher) Start() (err error) {
	if d.running == nil {
		program := unprivileged.Program{Root: d.Root, Path: Program, Clock: d.Clock,
			Watched: d.Watched, Most: carrier.MaxReport + 1}
		d.running, err = program.Start()
	}
	return err
}

// Open starts latchkey-fleet and has it connect to the first service, unless it was asked before.
// That takes as long as to make the first request, which can be done meanwhile. What fails shows
// once a request is to be carried.
func (d *Dispatcher) Open(s *settings.Settings) {
	left, ok := d.budget.Next(wire.AnswerTime)
	if d.opened || !ok || d.Start() != nil {
		return
	}
	if text, err := within(left, d.job(s, d.inOrder(s.Services), nil)); err == nil {
		d.running.Tell(text)
		d.opened = true
	}
}

// Stop kills latchkey-fleet, which takes a moment to be gone: End waits for that.
func (d *Dispatcher) Stop() {
	if d.running != nil {
		d.running.Stop()
	}
}

// End ends latchkey-fleet.
func (d *Dispatcher) End() {
	if d.running != nil {
		d.running.End()
		d.running, d.opened = nil, false
	}
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
