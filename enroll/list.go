package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/gate/names"
	"latchkey/pam/limit"
	"latchkey/pam/many"
	"latchkey/pam/opened"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// list says what every user has.
func (p *program) list(o options.Options) error {
	if o.Metrics && (o.Missing || o.JSON || o.Orphans) || o.Missing && o.Orphans {
		return hint.Misuse("--missing, --orphans and --metrics list different things: use one")
	}
	enrolled, err := p.store().Names()
	switch {
	case err != nil:
		return err
	case o.Missing:
		return p.listMissing(o, enrolled)
	case o.Orphans:
		return p.listOrphans(o, enrolled)
	}
	l, err := p.listing(enrolled)
	if err != nil {
		return err
	}
	defer l.done()
	all := l.all()
	switch {
	case l.err != nil:
	case o.Metrics:
		return p.listMetrics(l, all) // who cannot log in is one of the numbers
	case o.JSON:
		err = l.writeJSON(p.Out, all)
	default:
		err = l.write(p.Out, all)
	}
	if err = errors.Join(l.err, err); err == nil && l.bad > 0 {
		err = l.problems()
	}
	return err
}

// listing reads what many users have.
type listing struct {
	view    func(record.User) (*record.Record, *state.State, error)
	done    func()
	fleet   bool
	users   []string
	limits  limit.Guesses
	find    func(name string) (identity, error)
	program *program

	bad, untold int   // users who cannot log in, and those whose accounts could not be looked up
	err         error // that ended all before its end
}

func (p *program) listing(users []string) (*listing, error) {
	l := &listing{view: p.store().View, done: func() {}, fleet: p.inFleet(), users: users,
		find: p.finder(), program: p}
	var err error
	if l.limits, err = p.limits(); err != nil {
		return nil, err
	}
	if l.fleet {
		return l, nil
	}
	k, done, err := opened.Once(p.keyring)
	l.view, l.done = k.View, done
	return l, err
}

// all are all users, in order. Only a few are in memory at a time, unless the fleet has them: what
// it fails to tell fails all.
func (l *listing) all() iter.Seq[userStatus] {
	if !l.fleet {
		return l.each
	}
	kept := slices.Collect(l.each)
	if l.err != nil {
		return nil
	}
	return slices.Values(kept)
}

func (l *listing) each(yield func(userStatus) bool) {
	told := l.program.Progress("users read", len(l.users))
	if l.program.Shown { // they are seen themselves
		told.Hide()
	}
	defer told.End()
	for s := range many.Results(l.users, l.of) {
		told.Step()
		if l.err = s.failed; l.err != nil {
			return
		}
		l.bad += one(s.Problem != "")
		l.untold += one(s.untold)
		if !yield(s) {
			return
		}
	}
}

// of is the status of a name found in the directory, of which the name service may know nothing
// any more.
func (l *listing) of(name string) userStatus {
	s := userStatus{User: name, Enrolled: true, Devices: []deviceStatus{}}
	who, err := l.find(name)
	if err != nil && !l.fleet {
		s.Problem, s.untold = err.Error(), errors.Is(err, names.ErrUntold)
		return s
	}
	if err == nil {
		s.User, s.UID = who.Name, &who.UID
	} else { // a user of other hosts
		who.User = record.User{Name: name}
	}
	s.failed = s.read(who.User, l.view, l.limits, l.program.clock())
	return s
}

// problems is the error of a list of which some cannot log in.
func (l *listing) problems() error {
	next := "each line says why; if nothing else helps: enroll reset NAME"
	if l.untold > 0 {
		next = "the name service is not reliable now (see /etc/nsswitch.conf): do not " +
			"reset any user because of this"
	}
	return hint.Error(fmt.Sprintf("%d of %s cannot log in", l.bad,
		plural.Of(len(l.users), "user")), next)
}

// writeJSON is the function of that name, for an array whose elements come one by one.
func (l *listing) writeJSON(w io.Writer, all iter.Seq[userStatus]) error {
	out := bufio.NewWriter(w)
	var text bytes.Buffer
	enc := json.NewEncoder(&text)
	enc.SetIndent("  ", "  ")
	enc.SetEscapeHTML(false)
	before, after := "[\n  ", "[]\n"
	for one := range all {
		text.Reset()
		if err := enc.Encode(one); err != nil {
			return err
		}
		out.WriteString(before)
		out.Write(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
		before, after = ",\n  ", "\n]\n"
	}
	out.WriteString(after)
	return out.Flush() // fails if any of these did
}

func (l *listing) write(w io.Writer, all iter.Seq[userStatus]) error {
	out := bufio.NewWriter(w)
	for s := range all {
		s.writeLine(out)
	}
	return out.Flush()
}

func (s *userStatus) writeLine(w io.Writer) {
	var what []string
	for _, d := range s.Devices {
		what = append(what, fmt.Sprintf("%s (%s)", d.Label, d.Type))
	}
	switch {
	case s.Problem != "":
		what = []string{"PROBLEM: " + s.Problem}
	case s.locked() != "":
		what = append(what, s.locked())
	}
	name := s.User
	if record.CheckName(name) != nil { // it can do nothing to a terminal
		name = strconv.Quote(name)
	}
	fmt.Fprintf(w, "%-20s %s\n", name, strings.Join(what, ", "))
}
