package testfleet

import (
	"crypto/sha256"
	"errors"
	"testing"

	"latchkey/pam/fleet/store"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

// Enroll gives a user these devices.
func (f *Fleet) Enroll(t testing.TB, name string, devices ...record.Device) {
	t.Helper()
	rec := &record.Record{Name: name, Devices: devices}
	st := state.State{}
	for _, d := range devices {
		sum := sha256.Sum256(append(rec.Enrollment[:], d.Secret...))
		copy(rec.Enrollment[:], sum[:])
		st.Devices = append(st.Devices, state.Device{ID: d.ID})
	}
	st.Enrollment = rec.Enrollment
	f.Save(t, rec, st)
}

// Save writes a record and a state.
func (f *Fleet) Save(t testing.TB, rec *record.Record, st state.State) {
	t.Helper()
	testroot.Must(t, f.Admin.Store.Run(Context(t), nil, func(txn *store.Txn) error {
		k := txn.Keyring()
		return errors.Join(k.States.Create(rec.Name, st), k.Records.Save(rec))
	}))
}

// State returns a user's state.
func (f *Fleet) State(t testing.TB, name string) (st *state.State) {
	t.Helper()
	testroot.Must(t, f.Admin.Store.Run(Context(t), nil, func(txn *store.Txn) (err error) {
		st, err = txn.Keyring().States.Peek(name)
		return err
	}))
	return st
}

// NoPhones is a fleet without Twilio.
type NoPhones struct{}

var errNoPhones = errors.New("no twilio.toml")

// Ready implements authority.Verifier.
func (NoPhones) Ready() error { return errNoPhones }

// Send implements authority.Verifier.
func (NoPhones) Send(string, method.Method, string) protocol.Answer { return protocol.Answer{} }

// Check implements authority.Verifier.
func (NoPhones) Check(string, string, string) protocol.Answer { return protocol.Answer{} }
