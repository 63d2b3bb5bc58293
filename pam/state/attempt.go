package state

import (
	"net/netip"
	"time"

	"latchkey/pam/method"
)

// Attempt is a login: the last one that was let in, or the last one that was not. The zero value is
// none.
type Attempt struct {
	At      time.Time
	From    netip.Addr    // the zero Addr: not from a literal address
	Service string        // the PAM service; of a longer name the state keeps 22 bytes
	Method  method.Method // as in the log; empty: none
	Device  DeviceID      // zero: no device's
}

// serviceSize is how many bytes of a service's name there is room for.
const serviceSize = 22

func (a *Attempt) layout(f *fields) {
	var service [serviceSize]byte
	copy(service[:], a.Service)
	kind, by := kindOf(a.From), numberOf(a.Method)
	f.time(&a.At)
	f.bytes(a.Device[:])
	f.bytes(service[:])
	f.uint8(&by)
	f.uint8(&kind)
	f.address(&a.From, kind)
	a.Service, a.Method = text(service[:]), methods[by]
}

// methods are the numbers of methods in the file, which never change: 0 is none. What is not among
// them when a state is written is none, so that no login fails because of it.
var methods = map[byte]method.Method{
	1: method.TOTP, 2: method.HOTP, 3: method.Recovery, 4: method.SMS, 5: method.Call,
	6: method.Key, 7: method.Trust, 8: method.Bypass,
}

func numberOf(m method.Method) byte {
	for number, known := range methods {
		if known == m {
			return number
		}
	}
	return 0
}
