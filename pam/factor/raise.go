package factor

import (
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// Raise makes an older copy of a state, as a backup has it, one that may be used at the time now:
// what was used since is not in it, so all that may have been used counts as used. Time steps up
// to the next one are refused, tokens must resynchronize, recovery codes are void, and nothing
// that was given out or under way counts any longer. Failures and locks stay. The record says what
// the devices are.
func Raise(st *state.State, r *record.Record, now time.Time) {
	const all = ^uint64(0)
	st.Recovery.Used, st.Next.Used = all, all
	st.Ticket, st.Bypass = state.OneTimeCode{}, state.OneTimeCode{}
	st.Pendings, st.Trusts = nil, nil
	for i := range r.Devices {
		used := st.Device(r.Devices[i].ID)
		switch {
		case used == nil:
		case r.Devices[i].Type == method.TOTP:
			used.Counter = max(used.Counter, oath.Step(&r.Devices[i], now)+1)
		case r.Devices[i].Type == method.HOTP:
			oath.Distrust(used)
		}
	}
}
