package state

import (
	"bytes"
	"encoding/binary"
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
	sid, channel := text(old[22:]), old[2]
	none := bytes.Equal(old, make([]byte, len(old)))
	sound := sid != "" && (channel == bySMS || channel == byCall) && bytes.Equal(old[3:6], make([]byte, 3))
	if !none && !sound || !bytes.Equal(b[verifications:sumAt], make([]byte, sumAt-verifications)) {
		return nil, errChecksum
	}
	if sound {
		p := Pending{SID: sid, Checks: binary.BigEndian.Uint16(old), Sends: 1, Voice: channel == byCall}
		at := &fields{b: old[6:]}
		at.bytes(p.Device[:])
		at.time(&p.At)
		p.layout(&fields{b: moved[verifications:], write: true})
		clear(old)
	}
	return decode2(moved)
}
