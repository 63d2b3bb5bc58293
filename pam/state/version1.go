package state

import (
	"bytes"
	"encoding/binary"

	"latchkey/pam/state/fixed"
)

// version1 is read, never written: it had room for one verification, and did not count refusals.
const version1 = 1

// decode1 reads a slot of version 1, whose verification stood after the number of sends. It is
// moved to where version 2 has it; what version 1 kept zero must be zero.
func decode1(b []byte) (*State, error) {
	const (
		bySMS  = 1
		byCall = 2

		verification  = 1594 // checks, channel, three zeros, phone, time, name
		sends         = 1656
		verifications = 2824 // of version 2
	)
	moved := bytes.Clone(b)
	old := moved[verification:sends]
	sid, channel := "", old[2]
	fixed.Read(old[22:]).Text(&sid, maxSID)
	none := bytes.Equal(old, make([]byte, len(old)))
	sound := sid != "" && (channel == bySMS || channel == byCall) &&
		bytes.Equal(old[3:6], make([]byte, 3))
	if !none && !sound || !bytes.Equal(b[verifications:sumAt], make([]byte, sumAt-verifications)) {
		return nil, errChecksum
	}
	if sound {
		p := Pending{SID: sid, Checks: binary.BigEndian.Uint16(old), Sends: 1,
			Voice: channel == byCall}
		at := fixed.Read(old[6:])
		at.Bytes(p.Device[:])
		at.Time(&p.At)
		p.layout(fixed.Write(moved[verifications:]))
		clear(old)
	}
	return decode2(moved)
}
