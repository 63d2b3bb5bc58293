package store

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Keyring returns the fleet's records and states as this transaction sees and changes them. There
// is no index of uids: a fleet's users are who their names say.
func (t *Txn) Keyring() factor.Keyring {
	return factor.Keyring{Records: records{t}, States: states{t}, Host: sends{t}}
}

// records are the records of users.
type records struct{ t *Txn }

func (r records) Load(u record.User) (*record.Record, error) {
	got, err := r.t.record(u.Name)
	if err == nil && (got.Name != u.Name || got.UID != u.UID) {
		return nil, fmt.Errorf("the record of %q in the fleet is of another user (%q, uid %d)",
			u.Name, got.Name, got.UID)
	}
	return got, err
}

func (r records) Save(rec *record.Record) error {
	if err := record.CheckName(rec.Name); err != nil {
		return err
	}
	text, err := r.t.store.keys.records.Encode(rec)
	if err != nil {
		return err
	}
	return r.t.put(recordKey(rec.Name), text)
}

func (r records) Remove(name string) error { return r.t.remove(name, recordKey(name), "record") }

func (t *Txn) remove(name, key, what string) error {
	if err := record.CheckName(name); err != nil {
		return err
	}
	v, err := t.value(key)
	if err != nil {
		return err
	}
	if !v.there() {
		return errNone(name, what)
	}
	return t.Delete(key)
}

func (r records) Names() ([]string, error) { return r.t.names("record") }

// names lists the users who have a value of a kind.
func (t *Txn) names(kind string) ([]string, error) {
	found := map[string]bool{}
	err := t.each(users, func(key string) {
		if name, what := userOf(key); what == kind {
			found[name] = true
		}
	})
	for key, v := range t.values {
		if name, what := userOf(key); what == kind && v.changed {
			found[name] = v.there()
		}
	}
	maps.DeleteFunc(found, func(_ string, there bool) bool { return !there })
	return slices.Sorted(maps.Keys(found)), err
}

func (r records) UID(name string) (uint32, error) {
	got, err := r.t.record(name)
	if err != nil {
		return 0, err
	}
	return got.UID, nil
}

func (r records) NumberID(number string) ([8]byte, error) {
	return r.t.store.keys.records.NumberID(number)
}

func (r records) TrustTag(text string) ([8]byte, error) {
	return r.t.store.keys.records.TrustTag(text)
}

func (r records) CheckKey() error        { return nil }
func (r records) Sweep() error           { return nil }
func (r records) Stamp() (string, error) { return "", nil }
func (r records) String() string         { return "the fleet" }

// states are the states of users.
type states struct{ t *Txn }

func (s states) Open(name string) (*state.File, error) {
	st, err := s.t.state(name)
	if err != nil {
		return nil, err
	}
	before := st.Refused.Count
	return state.Virtual(*st, func(next state.State) error {
		if next.Refused.Count > before {
			s.t.guess(name)
		}
		return s.t.setState(name, next)
	}), nil
}

// guess notes that a user was charged with a wrong guess.
func (t *Txn) guess(name string) {
	if t.guessed == nil {
		t.guessed = map[string]bool{}
	}
	t.guessed[name] = true
}

func (s states) View(name string) (*state.State, error) { return s.t.state(name) }
func (s states) Peek(name string) (*state.State, error) { return s.t.state(name) }
func (s states) Names() ([]string, error)               { return s.t.names("state") }

func (s states) Create(name string, st state.State) error {
	if err := record.CheckName(name); err != nil {
		return err
	}
	return s.t.setState(name, st)
}

// Remove removes a user's state, and keeps the answers that are stored with it.
func (s states) Remove(name string) error {
	e, unread := s.t.envelope(name)
	err := s.t.remove(name, stateKey(name), "state")
	if err != nil || unread != nil || len(e.tokens) == 0 {
		return err
	}
	e.state = nil
	return s.t.Put(GoneKey(name), e.encode())
}

// Lock locks nothing: what is read is compared when it is written.
func (s states) Lock(name string) (*state.Lock, error) {
	st, err := s.t.state(name)
	switch {
	case err == nil:
		return state.VirtualLock(*st, nil), nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	return state.VirtualLock(state.State{}, err), nil
}

func (s states) Exclusive(change func() error) error { return change() }
func (s states) CopiedOnWrite(string) (bool, error)  { return false, nil }
func (s states) Sweep() error                        { return nil }
func (s states) Stamp() (string, error)              { return "", nil }
func (s states) String() string                      { return "the fleet" }

// sends are what is counted for the whole fleet.
type sends struct{ t *Txn }

func (s sends) Open(name string) (*state.File, error) {
	st, err := s.View(name)
	if err != nil {
		return nil, err
	}
	return state.Virtual(*st, func(next state.State) error { return s.Create(name, next) }), nil
}

func (s sends) View(name string) (*state.State, error) {
	if name != factor.HostName {
		return nil, errNone(name, "counters")
	}
	text, err := s.t.Get(KeySends)
	if err != nil || text == nil {
		return &state.State{}, err
	}
	return state.Decode(text)
}

func (s sends) Peek(name string) (*state.State, error) { return s.View(name) }

func (s sends) Create(_ string, st state.State) error {
	text, err := state.Encode(st)
	if err != nil {
		return err
	}
	return s.t.Put(KeySends, text)
}

func (s sends) Lock(name string) (*state.Lock, error) {
	st, err := s.View(name)
	if err != nil {
		return nil, err
	}
	return state.VirtualLock(*st, nil), nil
}

func (s sends) Names() ([]string, error)            { return []string{factor.HostName}, nil }
func (s sends) Remove(string) error                 { return s.t.Delete(KeySends) }
func (s sends) Exclusive(change func() error) error { return change() }
func (s sends) CopiedOnWrite(string) (bool, error)  { return false, nil }
func (s sends) Sweep() error                        { return nil }
func (s sends) Stamp() (string, error)              { return "", nil }
func (s sends) String() string                      { return "the fleet" }
