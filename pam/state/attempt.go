package state

import (
	"net/netip"
	"slices"
	"time"

	"latchkey/pam/method"
	"latchkey/pam/state/fixed"
)

// Attempt is a login: the last one that was let in, or the last one that was not. The zero value
// is none.
type Attempt struct {
	At      time.Time
	From    netip.Addr    // the zero Addr: not from a literal address
	Service string        // the PAM service; of a longer name the state keeps 22 bytes
	Method  method.Method // as in the log; empty: none
	Device  DeviceID      // zero: no device's
}

// serviceSize is how many bytes of a service's name there is room for.
const serviceSize = 22

func (a *Attempt) layout(f *fixed.Fields) {
	kind, by := fixed.KindOf(a.From), byte(max(slices.Index(methods, a.Method), 0))
	f.Time(&a.At)
	f.Bytes(a.Device[:])
	f.Text(&a.Service, serviceSize)
	f.Uint8(&by)
	f.Uint8(&kind)
	f.Address(&a.From, kind)
	if int(by) < len(methods) {
		a.Method = methods[by]
	}
}

// methods are those of the file by their numbers, which never change. A method that is not among
// them when a state is written is none, so that no login fails because of it.
var methods = []method.Method{
	"", method.TOTP, method.HOTP, method.Recovery, method.SMS, method.Call, method.Key,
	method.Trust, method.Bypass,
}
