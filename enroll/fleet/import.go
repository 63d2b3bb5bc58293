package fleet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"latchkey/enroll/fleet/reach"
	"slices"
	"sync"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/dispatch"
	"latchkey/pam/fleet/moving"
	"latchkey/pam/fleet/remote"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// Move takes users of a host into its fleet and back.
type Move struct {
	Root   string
	Clock  func() time.Time
	Store  enrollment.Store // of the host's own records
	LookUp func(name string) (record.User, error)
	// Changed is told of each user who was moved.
	Changed func(Moved)
}

// Moved is what became of a user; its JSON is an interface.
type Moved struct {
	User    string   `json:"user"`
	Result  string   `json:"result"` // imported, exported, failed
	Notes   []string `json:"notes"`
	Problem string   `json:"problem,omitempty"`
}

// The values of Moved.Result.
const (
	imported = "imported"
	exported = "exported"
	failed   = "failed"
)

// Line is the outcome for people.
func (m Moved) Line() string {
	line := m.User + ": " + m.Result
	if m.Problem != "" {
		line += ": " + m.Problem
	}
	for _, note := range m.Notes {
		line += "; " + note
	}
	return line
}

// Bad reports whether the user stayed.
func (m Moved) Bad() bool { return m.Result == failed }

// mover moves users.
type mover struct {
	Move
	away   away
	client func() (*remote.Client, error)
}

func (m Move) mover() mover {
	d := &dispatch.Dispatcher{Root: m.Root, Clock: m.Clock, Watched: -1, Unlimited: true}
	return mover{m, away{m.Root}, sync.OnceValues(func() (*remote.Client, error) {
		return reach.Connect(m.Root, d)
	})}
}

func (m mover) ask(op string, u record.User, q moving.Question) (a moving.Answer, err error) {
	c, err := m.client()
	if err != nil {
		return a, err
	}
	err = c.Ask(op, u, q, &a)
	return a, err
}

// Import moves users of the host into the fleet; without names, everyone. One who cannot be moved
// stops no one else, but for a fault of the fleet. Users whose move was interrupted go on.
func (m Move) Import(names []string) (all []Moved, err error) {
	v := m.mover()
	if err := v.away.make(); err != nil {
		return nil, err
	}
	err = m.Store.States.Exclusive(func() error {
		if err := v.away.sweep(); err != nil {
			return err
		}
		if len(names) == 0 {
			if names, err = v.everyone(); err != nil {
				return err
			}
		}
		all, err = v.each(names, imported, v.importOne)
		return err
	})
	return all, err
}

// everyone is on the host, or on the way.
func (m mover) everyone() ([]string, error) {
	own, err := m.Store.Records.Names()
	if err != nil {
		return nil, err
	}
	moving, err := m.away.names()
	all := slices.Concat(own, moving)
	slices.Sort(all)
	return slices.Compact(all), err
}

// each moves one user after the other.
func (m mover) each(names []string, done string,
	move func(name string) ([]string, error)) (all []Moved, err error) {
	all = []Moved{}
	for _, name := range names {
		notes, err := move(name)
		became := Moved{User: name, Notes: append([]string{}, notes...)}
		switch {
		case stops(err):
			return all, err
		case err != nil:
			became.Result, became.Problem = failed, err.Error()
		default:
			became.Result = done
			m.Changed(became)
		}
		all = append(all, became)
	}
	return all, nil
}

// stops reports whether the fleet would refuse the next user, too.
func stops(err error) bool {
	var e *wire.Error
	if !errors.As(err, &e) {
		return false
	}
	_, known := advice[e.Fault]
	return known || e.Fault == wire.Unknown
}

// accountUnenrolled is the fault of a user who has nothing.
const accountUnenrolled wire.Fault = "unenrolled"

// importOne moves one user into the fleet: it waits there, its files are put away, it is there,
// its files are removed.
func (m mover) importOne(name string) (notes []string, err error) {
	u, err := m.LookUp(name)
	if err != nil {
		return nil, err
	}
	begun, err := m.away.begun(name)
	if err != nil {
		return nil, err
	}
	moved, id, err := m.own(m.away.keyring(name), u)
	if err != nil {
		return nil, err
	}
	a, err := m.ask(moving.OpWait, u, moving.Question{ID: id, Again: begun, Moved: &moved})
	if err != nil {
		return nil, err
	}
	if err := m.away.put(name); err != nil {
		return nil, err
	}
	if !a.Done {
		if a, err = m.ask(moving.OpImport, u, moving.Question{ID: id}); err != nil {
			return nil, err
		}
	}
	if !a.Done {
		return nil, errors.New("the fleet has not taken the user")
	}
	return a.Notes, m.away.remove(name)
}

// own is what a user has on the host, and which enrollment it is. A record of a user who is gone,
// or of another one of that name, stays.
func (m mover) own(k factor.Keyring, u record.User) (moved moving.Moved, id string, err error) {
	moved, err = moving.Take(k, u)
	if errors.Is(err, factor.ErrUnenrolled) {
		return moved, "", errors.New("has no second factor on this host")
	}
	if err != nil {
		return moved, "", err
	}
	r, err := k.Records.Load(u)
	if err != nil {
		return moved, "", err
	}
	return moved, hex.EncodeToString(r.Enrollment[:]), nil
}

// Export moves users of the fleet to this host alone.
func (m Move) Export(names []string) ([]Moved, error) {
	v := m.mover()
	return v.each(names, exported, v.exportOne)
}

// exportOne takes one user out of the fleet. The host has the record before the fleet forgets it.
func (m mover) exportOne(name string) (notes []string, err error) {
	u, err := m.LookUp(name)
	if err != nil {
		return nil, err
	}
	old, err := m.Store.Records.Load(u)
	has := err == nil
	// With a record of the host's own, only an export that was interrupted goes on.
	a, err := m.ask(moving.OpExport, u, moving.Question{ID: "export", Again: has})
	if wire.FaultOf(err) == accountUnenrolled && err != nil {
		return nil, errors.New("has no second factor in the fleet")
	}
	switch {
	case err != nil:
		return nil, err
	case has && (a.Moved == nil || !sameDevices(old, a.Moved)):
		return nil, fmt.Errorf("has a record of the host's own (%s/%s): import or remove it first",
			records, name)
	case a.Moved == nil:
		return nil, errors.New("the fleet has named no devices")
	case !has:
		if err := m.Store.Enroll(enrollment.ByRoot(), u, a.Moved.Enrollment); err != nil {
			return nil, err
		}
	}
	if err := m.bring(u, a.Moved); err != nil {
		return nil, err
	}
	_, err = m.ask(moving.OpEnd, u, moving.Question{ID: "export"})
	return nil, err
}

// bring brings locks and counts along.
func (m mover) bring(u record.User, moved *moving.Moved) error {
	account, err := m.Store.Open(u)
	if err != nil {
		return err
	}
	defer account.Close()
	moved.Raise(account)
	return factor.Commit(account.State)
}

// sameDevices reports whether a record is that of an export that was interrupted.
func sameDevices(r *record.Record, moved *moving.Moved) bool {
	return slices.EqualFunc(r.Devices, moved.Enrollment.Devices,
		func(a, b record.Device) bool { return a.ID == b.ID && slices.Equal(a.Secret, b.Secret) })
}
