package accounts

import (
	"bytes"
	"slices"

	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// shownDigits are how many digits of a phone's number are ever shown.
const shownDigits = 4

// Redact returns copies of a record and a state without all that could let someone in: a host of
// a fleet, which may be stolen, shows them to people.
func Redact(r *record.Record, st *state.State) (*record.Record, *state.State) {
	shown, used := *r, *st
	shown.Devices = slices.Clone(r.Devices)
	for i, d := range shown.Devices {
		shown.Devices[i] = redactedDevice(d)
	}
	shown.Recovery = redactedCodes(r.Recovery)
	used.Ticket = state.OneTimeCode{Until: st.Ticket.Until}
	used.Bypass = state.OneTimeCode{Until: st.Bypass.Until}
	used.Pendings = nil
	return &shown, &used
}

// redactedDevice keeps the last digits of a phone's number, and the public key of a security key,
// which is no secret.
func redactedDevice(d record.Device) record.Device {
	switch d.Type {
	case method.Key:
	case method.Phone:
		d.Secret = bytes.Clone(d.Secret[max(0, len(d.Secret)-shownDigits):])
	default:
		d.Secret = nil
	}
	return d
}

// redactedCodes is as many codes, none of which is one.
func redactedCodes(r record.Recovery) record.Recovery {
	return record.Recovery{
		ID: r.ID, Hashes: make([][]byte, len(r.Hashes)), Codes: make([]string, len(r.Codes)),
	}
}

// Redacted reports whether a device is one that a fleet has shown, without its secret.
func Redacted(d record.Device) bool {
	return d.Type != method.Key && len(d.Secret) <= shownDigits
}
