package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"latchkey/enroll/fleet"
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/plural"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// userStatus is what status and list tell of a user; its JSON is an interface.
type userStatus struct {
	User string `json:"user"`
	// null: the name service knows no such user, or cannot tell
	UID         *uint32        `json:"uid"`
	Enrolled    bool           `json:"enrolled"`
	LockedUntil *time.Time     `json:"locked_until"`
	ForGood     bool           `json:"locked_until_root"`
	Refused     uint32         `json:"refused_in_a_row"`
	Failures    int            `json:"failures"`
	Devices     []deviceStatus `json:"devices"`
	Recovery    int            `json:"recovery_codes_left"`
	Accepted    *attemptStatus `json:"last_accepted"`
	Denied      *attemptStatus `json:"last_refused"`
	Problem     string         `json:"problem,omitempty"` // why every login is denied
	hint        string
	untold      bool  // whether there is such a user
	failed      error // nothing is known, and this is why
}

type deviceStatus struct {
	ID     string        `json:"id"`
	Type   method.Method `json:"type"`
	Label  string        `json:"label"`
	Number string        `json:"number,omitempty"` // of a phone, its last four digits
	// Fingerprint and Attested are of a security key.
	Fingerprint string     `json:"fingerprint,omitempty"`
	Attested    bool       `json:"attested,omitempty"`
	Created     time.Time  `json:"created"`
	LastUsed    *time.Time `json:"last_used"`
}

// status says what one user has.
func (p *program) status(o options.Options) error {
	who, err := p.whom(o.User)
	if err != nil {
		return err
	}
	s, err := p.statusOf(who)
	if err != nil {
		return err
	}
	if o.JSON {
		err = writeJSON(p.Out, s)
	} else {
		s.write(p.Out)
	}
	if err == nil && s.Problem != "" {
		err = hint.Error("logins of "+who.Name+" are denied: "+s.Problem, s.hint)
	}
	return err
}

// statusOf reads without changing anything, also on a file system that cannot be written.
func (p *program) statusOf(who identity) (userStatus, error) {
	limits, err := p.limits()
	if err != nil {
		return userStatus{User: who.Name}, err
	}
	s := userStatus{User: who.Name, UID: &who.UID}
	err = p.AsRoot(func() error { return s.read(who.User, p.store().View, limits, p.clock()) })
	return s, err
}

// read finds out what a user has, by way of view. The error is one of a fleet, which then tells
// nothing of the user.
func (s *userStatus) read(u record.User,
	view func(record.User) (*record.Record, *state.State, error), limits limit.Guesses,
	now time.Time) error {
	s.Devices = []deviceStatus{}
	r, st, err := view(u)
	if err == nil {
		s.fill(r, st, limits, now)
	}
	if fleet.Explain(err) != nil {
		return err
	}
	s.Enrolled = err == nil
	if err != nil && !errors.Is(err, factor.ErrUnenrolled) {
		s.Enrolled, s.Problem, s.hint = true, err.Error(),
			hint.StartOver(s.User, err)
		if next := hint.Of(hinted(err, "")); next != "" {
			s.hint = next
		}
	}
	return nil
}

func (s *userStatus) fill(r *record.Record, st *state.State, limits limit.Guesses, now time.Time) {
	s.Failures = limits.Count(st, now)
	s.Refused = st.Refused.Count
	lockout := limits.Lockout(st, now)
	s.LockedUntil, s.ForGood = timeOrNull(lockout.Until), lockout.UntilRoot
	s.Recovery = factor.RecoveryLeft(r, st)
	s.Accepted, s.Denied = attemptOf(st.Accepted, r), attemptOf(st.Denied, r)
	for _, d := range r.Devices {
		out := deviceStatus{
			ID: hex.EncodeToString(d.ID[:]), Type: d.Type, Label: d.Label, Number: d.Hint(),
			Fingerprint: d.Fingerprint(), Attested: d.Attested, Created: d.Created.UTC(),
		}
		if used := st.Device(d.ID); used != nil {
			out.LastUsed = timeOrNull(used.Used)
		}
		s.Devices = append(s.Devices, out)
	}
}

func timeOrNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

func (s *userStatus) write(w io.Writer) {
	switch {
	case s.Problem != "":
		return
	case !s.Enrolled:
		fmt.Fprintf(w, "%s has no second factor.\n", s.User)
		return
	}
	for _, d := range s.Devices {
		used := "never used"
		if d.LastUsed != nil {
			used = "last used " + d.LastUsed.Format(time.DateTime) + " UTC"
		}
		what := strings.TrimSpace(string(d.Type) + " " + d.Number)
		if d.Fingerprint != "" {
			used += ", " + d.Fingerprint
		}
		if d.Attested {
			used += ", attested"
		}
		fmt.Fprintf(w, "%-20s %-5s since %s, %s\n", d.Label, what,
			d.Created.Format(time.DateOnly), used)
	}
	fmt.Fprintf(w, "Recovery codes left: %d\n", s.Recovery)
	if s.Accepted != nil {
		fmt.Fprintf(w, "Last accepted: %v\n", s.Accepted)
	}
	if s.Denied != nil {
		fmt.Fprintf(w, "Last refused:  %v\n", s.Denied)
	}
	if locked := s.locked(); locked != "" {
		fmt.Fprintf(w, "%s%s: too many wrong codes.\n", strings.ToUpper(locked[:1]), locked[1:])
	}
}

// locked says how long the second factor is locked; empty: it is not.
func (s *userStatus) locked() string {
	switch {
	case s.ForGood:
		return "locked until root unlocks it, after " + plural.Of(int(s.Refused), "wrong code") +
			" in a row"
	case s.LockedUntil != nil:
		return "locked until " + s.LockedUntil.Format(time.DateTime) + " UTC"
	}
	return ""
}
