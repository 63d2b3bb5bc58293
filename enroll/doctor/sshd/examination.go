// Package sshd finds out what an sshd's configuration lets through, by asking sshd itself (sshd
// -T -C) about a connection for every region that its Match lines cut out.
//
// It reads sshd_config only to plan the questions and to name lines. What is in force is sshd's
// own answer, and where the plan and an answer disagree about a Match line, that line has not
// been judged.
package sshd

import (
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"latchkey/enroll/doctor/sshd/ask"
	"latchkey/enroll/doctor/sshd/config"
)

// Examination asks one sshd about its configuration.
type Examination struct {
	Program ask.Program
	Service string // of PAM, where sshd does not say: its name, before OpenSSH 9.8
	Config  *config.Config
	Machine Machine
	Clock   func() time.Time
	Bound   time.Duration // how long planning and asking may take
	// Progress, if set, is called before each question, and when there are no more. One call
	// ends before the next.
	Progress func(asked, all int)
}

// Run asks. The error means that nothing could be found out.
func (e Examination) Run() (*Report, error) {
	start := e.Clock()
	base, err := e.base()
	if err != nil {
		return nil, err
	}
	c := &collector{service: e.Service, report: &Report{Base: base.Options}}
	if !slices.Equal(base.Lines, e.Config.Texts()) {
		c.add(unread("", "sshd reads other Match lines than those that are seen here: they "+
			"were not judged"), nil)
	}
	for _, s := range slices.Backward(e.Config.Settings) {
		if s.Keyword == "usedns" && s.Under == nil {
			c.report.DNS = s.Place()
		}
	}
	m := newModel(e.Config, base.Options)
	m.release, m.flags = e.Program.Release(), e.Program.Keywords()
	m.over = func() bool { return e.Clock().Sub(start) >= e.Bound/2 } // the other half is sshd's
	regions, complete := m.plan(m.axes(e.Machine))
	e.ask(regions, start.Add(e.Bound), c, m)
	c.leftOver(m, regions, complete)
	return c.report, nil
}

// base asks for a connection that no Match line is for, but "all". Its port is none that a line
// names.
func (e Examination) base() (*ask.Answer, error) {
	unused := 1
	for _, p := range patterns((&model{blocks: e.Config.Blocks}).about("localport")) {
		if config.Port(p) == unused {
			unused++
		}
	}
	return e.Program.Ask(fmt.Sprintf("lport=%d", unused))
}

// ask puts all questions, several at a time, in the order of the regions; those for which there
// is no time are left out.
func (e Examination) ask(regions []*region, end time.Time, c *collector, m *model) {
	answers := make([]outcome, len(regions))
	next, lock := 0, sync.Mutex{}
	take := func() int {
		lock.Lock()
		defer lock.Unlock()
		if next >= len(regions) || !e.Clock().Before(end) {
			return -1
		}
		if e.Progress != nil {
			e.Progress(next, len(regions))
		}
		next++
		return next - 1
	}
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for at := take(); at >= 0; at = take() {
				answers[at] = e.one(regions[at])
			}
		})
	}
	workers.Wait()
	if e.Progress != nil {
		e.Progress(len(regions), len(regions))
	}
	for i, r := range regions {
		c.judge(m, r, answers[i])
	}
}

func (e Examination) one(r *region) outcome {
	spec, ok := r.q.Spec()
	if !ok {
		return outcome{mute: true}
	}
	a, err := e.Program.Ask(spec)
	return outcome{answer: a, err: err}
}
