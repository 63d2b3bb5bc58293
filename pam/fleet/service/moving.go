package service

import (
	"errors"
	"io/fs"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/fleet/hosts"
	"latchkey/pam/fleet/moving"
	"latchkey/pam/fleet/store"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// movingOps take users into the fleet and out of it.
func movingOps() map[string]Op {
	admin := func(run func(*store.Txn, wire.Question) (any, error)) Op {
		return Op{Role: hosts.Admin, Run: run}
	}
	return map[string]Op{
		moving.OpWait: admin(wait), moving.OpImport: admin(importNow),
		moving.OpExport: admin(export), moving.OpEnd: admin(endExport),
	}
}

// move is a user on the way between a host and the fleet, which lets no one in.
type move struct {
	ID    string        `json:"id"`
	At    time.Time     `json:"at"`
	Moved *moving.Moved `json:"moved,omitempty"` // nil: has arrived
}

// importKey and exportKey are where users of a host wait. Each host has its own, so that one which
// was killed keeps no other from moving.
func importKey(q wire.Question) string { return store.UserKey(q.User, "import/"+q.Host) }
func exportKey(q wire.Question) string { return store.UserKey(q.User, "export/"+q.Host) }

// errMoving refuses a question that leaves something out.
var errMoving = wire.Errorf(wire.Protocol, "the question does not say who is moved")

// movingOf reads the question, and who is on the way under key.
func movingOf(t *store.Txn, q wire.Question, key string) (
	body moving.Question, m move, err error) {
	if err := read(q, &body); err != nil {
		return body, m, err
	}
	if record.CheckName(q.User) != nil || body.ID == "" {
		return body, m, errMoving
	}
	t.Remember() // refusals, too: every one of these questions asks for a change
	_, err = t.Load(key, &m)
	return body, m, err
}

// wait has a user of a host wait.
func wait(t *store.Txn, q wire.Question) (any, error) {
	body, m, err := movingOf(t, q, importKey(q))
	switch {
	case err != nil:
		return nil, err
	case m.ID == body.ID && m.Moved == nil:
		return arrived(t, q, body.Again)
	case body.Moved == nil || len(body.Moved.Enrollment.Devices) == 0 ||
		len(body.Moved.Enrollment.Devices) != len(body.Moved.Enrollment.Counters):
		return nil, errMoving
	}
	return moving.Answer{}, t.Store(importKey(q), move{body.ID, t.Now, body.Moved})
}

// arrived answers about a user who was imported before. A move that goes on is done. Otherwise the
// host has its files again, from a copy: it removes them if the fleet has the user, and must keep
// them if the fleet no longer does, or has a record that does not count.
func arrived(t *store.Txn, q wire.Question, goesOn bool) (any, error) {
	_, err := t.Keyring().Records.Load(Account(q))
	switch {
	case err == nil, goesOn && errors.Is(err, fs.ErrNotExist):
		return moving.Answer{Done: true}, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, errors.New("was imported before and is no longer in the fleet; this host's " +
			"record is kept, but the user has to enroll again: enroll invite")
	}
	return nil, err
}

// importNow makes a user who waits one of the fleet's.
func importNow(t *store.Txn, q wire.Question) (any, error) {
	body, m, err := movingOf(t, q, importKey(q))
	switch {
	case err != nil:
		return nil, err
	case m.ID != body.ID:
		return nil, wire.Errorf(wire.Protocol, "%s does not wait for this", q.User)
	case m.Moved == nil:
		return moving.Answer{Done: true}, nil
	}
	notes, err := m.Moved.Give(enrollment.Store{Keyring: t.Keyring()}, Account(q))
	if err != nil {
		return nil, errors.Join(err, store.ErrUndone)
	}
	return moving.Answer{Done: true, Notes: notes},
		t.Store(importKey(q), move{ID: body.ID, At: t.Now})
}

// export takes a user out of the fleet. The record waits for the host to have it. One that still
// waits, because the command was killed, counts only while the user has no other.
func export(t *store.Txn, q wire.Question) (any, error) {
	body, m, err := movingOf(t, q, exportKey(q))
	if err != nil || body.Again {
		return moving.Answer{Moved: m.Moved}, err
	}
	k := t.Keyring()
	moved, err := moving.Take(k, Account(q))
	switch {
	case errors.Is(err, factor.ErrUnenrolled) && m.Moved != nil:
		return moving.Answer{Moved: m.Moved}, nil
	case errors.Is(err, factor.ErrUnenrolled):
		return nil, err
	}
	if err == nil {
		err = enrollment.Store{Keyring: k}.Reset(enrollment.ByRoot(), q.User)
	}
	if err == nil {
		err = forgetExports(t, q.User)
	}
	if err != nil {
		return nil, errors.Join(err, store.ErrUndone)
	}
	return moving.Answer{Moved: &moved}, t.Store(exportKey(q), move{ID: "export", At: t.Now,
		Moved: &moved})
}

// endExport forgets the record, which the host has.
func endExport(t *store.Txn, q wire.Question) (any, error) {
	if _, _, err := movingOf(t, q, exportKey(q)); err != nil {
		return nil, err
	}
	return moving.Answer{Done: true}, t.Delete(exportKey(q))
}

// forgetExports deletes the user's records that still wait for hosts, whose export was killed: they
// would bring back what a reset is to remove, or an export to another host has taken there.
func forgetExports(t *store.Txn, user string) error {
	prefix := store.UserKey(user, "export/")
	waiting, err := t.List(prefix)
	if err != nil {
		return err
	}
	for host := range waiting {
		if err := t.Delete(prefix + host); err != nil {
			return err
		}
	}
	return nil
}
