package backup

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"latchkey/enroll/plural"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/many"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
	"latchkey/pam/state"
)

// Options are how a backup is restored.
type Options struct {
	Host
	Proof enrollment.Proof
	Clock func() time.Time
	// LookUp asks the name service.
	LookUp  func(name string) (record.User, error)
	Changed func(Outcome) // is told of each user who was changed

	User       string // this user only, and no files; empty: everything
	Replace    bool   // what users have here
	MatchNames bool   // users whose uid is another one here, too
	KeepCodes  bool   // unused recovery codes stay valid
}

// What became of a user.
const (
	Restored = "restored"
	Replaced = "replaced"
	Skipped  = "skipped" // they are not here, or not the same
	Kept     = "kept"    // they have a second factor here
	Failed   = "failed"
)

// Outcome is what became of one user or file.
type Outcome struct {
	User    string   `json:"user,omitempty"`
	File    string   `json:"file,omitempty"`
	Result  string   `json:"result"`
	Notes   []string `json:"notes,omitempty"`
	Problem string   `json:"problem,omitempty"`
}

// Done reports whether it is as the backup has it.
func (o Outcome) Done() bool { return o.Problem == "" }

// Errors that stop a restore before anything is changed.
var (
	ErrInhabited = errors.New("this host has users already")
	ErrNoUser    = errors.New("the backup has no such user")
	ErrClock     = errors.New("this host's clock is before the time of the backup")
)

// saved is a user of the backup, as the host is to have them.
type saved struct {
	Outcome
	record *record.Record
	state  *state.State
	user   record.User // as the name service knows them
}

// restoring is one run.
type restoring struct {
	Options
	store enrollment.Store
	now   time.Time
}

// Restore brings users back, and then the files. One user who cannot be restored stops no one
// else; an error stops all, before anything was changed unless there are outcomes. It may match
// ErrInhabited, ErrNoUser or ErrClock.
func (s *Source) Restore(o Options) ([]Outcome, error) {
	r := restoring{Options: o, store: enrollment.Store{Keyring: o.Keyring}, now: o.Clock()}
	if err := r.mayBegin(s); err != nil {
		return nil, err
	}
	outcomes, stopped := r.save(s)
	if stopped == nil && o.User == "" {
		outcomes = append(outcomes, o.putFiles(s.Files)...)
	}
	return outcomes, stopped
}

// mayBegin refuses a restore of which nothing may be done.
func (r restoring) mayBegin(s *Source) error {
	// A clock that is behind the backup cannot say which codes were used until now.
	if r.now.Add(state.ClockSlack).Before(s.Created) {
		return fmt.Errorf("%w: it is %s here, and the backup was made at %s", ErrClock,
			r.now.UTC().Format(time.RFC3339), s.Created.UTC().Format(time.RFC3339))
	}
	if r.User != "" && !s.has(r.User) {
		return fmt.Errorf("%w: %s", ErrNoUser, r.User)
	}
	if r.User != "" || r.Replace {
		return nil
	}
	here, err := r.Keyring.Names()
	if err == nil && len(here) > 0 {
		err = fmt.Errorf("%w: %s", ErrInhabited, plural.Of(len(here), "user"))
	}
	return err
}

// save restores users, some under one lock, so that others who enroll meanwhile get their turn.
// The error is one that stops all.
func (r restoring) save(s *Source) (outcomes []Outcome, stopped error) {
	outcomes = []Outcome{}
	all := s.users
	if r.User != "" {
		all = []fingerprint{{name: r.User}}
	}
	step, end := r.told("users restored").Begin(len(all))
	defer end()
	stopped = s.again(r.User, func(some []*saved) error {
		if err := r.saveAll(s, some); err != nil {
			return err
		}
		for _, u := range some {
			step()
			outcomes = append(outcomes, u.Outcome)
		}
		return nil
	})
	for _, u := range all[len(outcomes):] {
		left := saved{Outcome: Outcome{User: u.name}}
		left.fail(stopped)
		outcomes = append(outcomes, left.Outcome)
	}
	return outcomes, stopped
}

// saveAll restores users under one lock. What was done before an error is told, too.
func (r restoring) saveAll(s *Source, some []*saved) error {
	for _, u := range some {
		r.identify(u)
	}
	err := r.store.ExclusiveMany(func(store enrollment.Store) error {
		files, ok := store.Records.(record.Store)
		if !ok {
			return errors.New("the records are not files of this host")
		}
		if err := files.PutKey(s.Key); err != nil {
			return err
		}
		r.store = store
		r.saveSome(some)
		return nil
	})
	if err != nil {
		return err
	}
	for _, u := range some {
		if u.Result == Restored || u.Result == Replaced {
			r.Changed(u.Outcome)
		}
	}
	return nil
}

// saveSome restores users side by side, because they wait for the disk. Those with phones share
// the host's file, and are restored by themselves.
func (r restoring) saveSome(all []*saved) {
	var others []*saved
	for _, s := range all {
		switch {
		case s.Result != "":
		case s.has(method.Phone):
			r.restore(s)
		default:
			others = append(others, s)
		}
	}
	many.Each(others, many.Waiting, func(s *saved) error {
		r.restore(s)
		return nil
	})
}

// identify skips a user who is not here, or may be another person.
func (r restoring) identify(s *saved) {
	var err error
	s.user, err = r.LookUp(s.User)
	switch {
	case err != nil:
		s.skip(err.Error())
	case s.user.Name != s.User:
		s.skip(fmt.Sprintf("the name service calls this user %q", s.user.Name))
	case s.user.UID != s.record.UID && !r.MatchNames:
		s.skip(fmt.Sprintf("uid %d in the backup, %d here; if that is the same person: "+
			"--match-names", s.record.UID, s.user.UID))
	}
}

// restore restores one user.
func (r restoring) restore(s *saved) {
	_, missing := r.store.Records.UID(s.User)
	err := r.store.Restore(r.Proof, s.user, enrollment.Saved{Record: s.record, State: s.state,
		Replace: r.Replace, KeepCodes: r.KeepCodes}, r.now)
	switch {
	case errors.Is(err, enrollment.ErrEnrolled):
		s.Result, s.Problem = Kept, "has a second factor here; to replace it: --replace"
		return
	case err != nil && !errors.Is(err, safefile.ErrInForce):
		s.fail(err)
		return
	}
	s.Result = Restored
	if missing == nil {
		s.Result = Replaced
	}
	s.tell(r.KeepCodes)
	if err != nil {
		s.Problem = err.Error()
	}
}

func (s *saved) skip(why string) { s.Result, s.Problem = Skipped, why }

func (s *saved) fail(err error) {
	s.Result, s.Problem = Failed, "not restored"
	if err != nil {
		s.Problem = err.Error()
	}
}

// has reports whether the user has a device of that type.
func (s *saved) has(t method.Method) bool {
	is := func(d record.Device) bool { return d.Type == t }
	return slices.ContainsFunc(s.record.Devices, is)
}

// tell notes what the user has now, and what no longer counts.
func (s *saved) tell(keepCodes bool) {
	for _, d := range s.record.Devices {
		text := fmt.Sprintf("%s %q", d.Type, d.Label)
		if d.Type == method.HOTP {
			text += " (the first time: two codes, one after the other)"
		}
		s.Notes = append(s.Notes, text)
	}
	left := factor.RecoveryLeft(s.record, s.state)
	switch {
	case left > 0 && keepCodes:
		s.Notes = append(s.Notes, plural.Of(left, "recovery code"))
	case left > 0:
		s.Notes = append(s.Notes, "no recovery codes (void: "+plural.Of(left, "code")+")")
	}
}
