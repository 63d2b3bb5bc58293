package sshd

import (
	"cmp"
	"slices"
	"strings"

	"latchkey/enroll/doctor/sshd/ask"
	"latchkey/enroll/doctor/sshd/config"
	"latchkey/enroll/doctor/sshd/ways"
	"latchkey/enroll/doctor/stack/pamd"
)

// collector gathers what is found, once for each line and problem.
type collector struct {
	report  *Report
	service string          // of PAM, where sshd does not say
	judged  []*config.Block // that an answer was about
	missed  bool            // there was no time for a question
}

const lookYourself = "see what it comes to: sshd -T -C " +
	"user=NAME,host=HOST,addr=ADDRESS,laddr=ADDRESS,lport=PORT"

func unread(place, text string) Fault {
	return Fault{Problem: ways.Problem{Text: text, Hint: lookYourself}, Place: place}
}

func (c *collector) add(f Fault, q *config.Connection) {
	same := func(g Fault) bool { return g.Place == f.Place && g.Text == f.Text }
	if slices.ContainsFunc(c.report.Faults, same) {
		return
	}
	if q != nil {
		f.For = q.Says()
	}
	c.report.Faults = append(c.report.Faults, f)
}

// outcome is what became of a question. The zero outcome: it was not asked.
type outcome struct {
	answer *ask.Answer
	err    error
	mute   bool // sshd cannot be asked about such a connection
}

// judge looks at one region: at sshd's answer if there is one, else at what it is thought to be.
func (c *collector) judge(m *model, r *region, o outcome) {
	options := r.options
	switch {
	case o.err != nil:
		c.add(unread("", "for "+r.q.Says()+": "+o.err.Error()), nil)
	case o.answer != nil && !m.matches(r, o.answer):
		c.disagree(m, r, o.answer)
		options = o.answer.Options
	case o.answer != nil:
		options = o.answer.Options
		c.report.Asked++
	case !o.mute:
		c.missed = true
	}
	if o.answer != nil || o.mute {
		c.judged = append(c.judged, r.applying...)
	}
	if admits(options, r.q) {
		c.note(options)
		for _, p := range ways.Problems(options, r.q.Root(), len(r.by) > 0) {
			c.blame(m, r, options, p)
		}
	}
}

// matches reports whether sshd found the same Match lines to apply as the plan did.
func (m *model) matches(r *region, a *ask.Answer) bool {
	var expected []string
	for _, b := range m.config.Blocks {
		if b.Applies(r.q) {
			expected = append(expected, b.Conditions())
		}
	}
	return slices.Equal(expected, a.Matched)
}

func (c *collector) blame(m *model, r *region, options ways.Options, p ways.Problem) {
	f := Fault{Problem: p}
	if s := m.cause(p, options, r.by, r.q.Root()); s != nil {
		f.Place = s.Place()
	}
	c.add(f, r.q)
}

// disagree names the lines of which sshd says something else than was expected.
func (c *collector) disagree(m *model, r *region, a *ask.Answer) {
	for _, b := range m.config.Blocks {
		text := b.Conditions()
		if b.Applies(r.q) != slices.Contains(a.Matched, text) {
			c.add(unread(b.Place(), "sshd reads this Match line in another way than it is "+
				"read here: not judged"), r.q)
			c.judged = append(c.judged, b)
		}
	}
}

// note takes down which PAM service an answer uses (PAMServiceName, since OpenSSH 9.8).
func (c *collector) note(o ways.Options) {
	name := pamd.ServiceName(cmp.Or(o.First("pamservicename"), c.service))
	lists, _ := o.Ways(false)
	at := slices.IndexFunc(c.report.Services, func(s Service) bool { return s.Name == name })
	if at < 0 {
		c.report.Services = append(c.report.Services,
			Service{Name: name, KeyFirst: true, Touch: true, PIN: true})
		at = len(c.report.Services) - 1
	}
	s := &c.report.Services[at]
	s.KeyFirst = s.KeyFirst && ways.KeyFirst(lists)
	if !ways.Keyed(lists) {
		return
	}
	asked := o.Fields("pubkeyauthoptions")
	s.Keyed = true
	s.Touch = s.Touch && slices.Contains(asked, "touch-required")
	s.PIN = s.PIN && slices.Contains(asked, "verify-required")
}

// leftOver looks at Match lines that no region was for: a group without members, a name that
// cannot be asked about. What they set is judged by itself, as if they alone applied.
func (c *collector) leftOver(m *model, regions []*region, complete bool) {
	for _, b := range m.blocks {
		if slices.Contains(c.judged, b) || b.Never() {
			continue
		}
		options, by := m.force(func(other *config.Block) bool { return b.Within(other) })
		for _, p := range ways.Problems(options, false, true) {
			if s := m.cause(p, options, by, false); s != nil && s.Under == b {
				p.Warning = p.Warning || !m.base.On("usedns") && b.ByName()
				p.Text += "; no connection was found that Match " + b.Conditions() + " is for"
				c.add(Fault{Problem: p, Place: s.Place()}, nil)
			}
		}
		if b.Unread != "" {
			c.add(unread(b.Place(), "Match "+b.Conditions()+" was not tried: "+b.Unread), nil)
		}
	}
	if c.missed || !complete {
		c.add(unread("", "there was no time for all combinations of the "+
			"Match lines"+m.unjudged(c.judged)), nil)
	}
}

// unjudged names the lines that no answer was about.
func (m *model) unjudged(judged []*config.Block) string {
	var places []string
	for _, b := range m.blocks {
		if !slices.Contains(judged, b) {
			places = append(places, b.Place())
		}
	}
	if len(places) == 0 {
		return "; each line was tried by itself"
	}
	return "; not tried: " + strings.Join(places, ", ")
}
