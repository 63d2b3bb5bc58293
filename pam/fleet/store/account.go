package store

import (
	"fmt"
	"io/fs"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// errNone matches fs.ErrNotExist, as the errors of files do.
func errNone(name, what string) error {
	return fmt.Errorf("the fleet has no %s of %q: %w", what, name, fs.ErrNotExist)
}

// envelope is what stands under a user's state; nil if nothing does.
func (t *Txn) envelope(name string) (*envelope, error) {
	if record.CheckName(name) != nil {
		return nil, record.ErrName
	}
	text, err := t.Get(stateKey(name))
	if err != nil || text == nil {
		return nil, err
	}
	return decodeEnvelope(text)
}

// state returns a user's state as it is in this epoch.
func (t *Txn) state(name string) (*state.State, error) {
	e, err := t.envelope(name)
	if err != nil {
		return nil, err
	}
	if e == nil {
		return nil, errNone(name, "state")
	}
	st, err := state.Decode(e.state)
	if err != nil {
		return nil, err
	}
	return st, t.renew(name, e, st)
}

// renew brings a state to this epoch. It is written with the next change: until then it is brought
// to it each time it is read.
func (t *Txn) renew(name string, e *envelope, st *state.State) error {
	now, err := t.Epoch()
	if err != nil || e.epoch >= now.Number {
		return err
	}
	r := &record.Record{}
	if there, err := t.value(recordKey(name)); err != nil {
		return err
	} else if there.there() {
		if r, err = t.store.keys.records.Decode(there.raw); err != nil {
			return err
		}
	}
	factor.Raise(st, r, now.Began)
	return nil
}

// setState writes a user's state and keeps what else stands there.
func (t *Txn) setState(name string, st state.State) error {
	now, err := t.Epoch()
	if err != nil {
		return err
	}
	text, err := state.Encode(st)
	if err != nil {
		return err
	}
	key, e, err := t.memory(name)
	if err != nil {
		e = &envelope{} // one that cannot be read is replaced, as a damaged file is
	}
	if key == GoneKey(name) {
		if err := t.Delete(key); err != nil {
			return err
		}
	}
	e.epoch, e.state = now.Number, text
	return t.Put(stateKey(name), e.encode())
}

// record returns a user's record.
func (t *Txn) record(name string) (*record.Record, error) {
	if err := record.CheckName(name); err != nil {
		return nil, err
	}
	v, err := t.value(recordKey(name))
	if err != nil {
		return nil, err
	}
	if !v.there() {
		return nil, errNone(name, "record")
	}
	r, err := t.store.keys.records.Decode(v.raw)
	if err != nil {
		return nil, fmt.Errorf("the record of %q in the fleet: %w", name, err)
	}
	return r, nil
}
