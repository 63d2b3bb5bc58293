package state

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"strings"
)

// Where the parts of a verification lie in its 64 bytes, and its flags.
const (
	pendingAt     = 8
	pendingSID    = 16
	pendingChecks = pendingSID + maxSID
	pendingSends  = pendingChecks + 2
	pendingFlags  = pendingSends + 2

	flagVoice = 1
	flagOver  = 2
)

func (p Pending) encode(b []byte) {
	put := binary.BigEndian
	copy(b, p.Device[:])
	putTime(b[pendingAt:], p.At)
	copy(b[pendingSID:pendingChecks], p.SID)
	put.PutUint16(b[pendingChecks:], p.Checks)
	put.PutUint16(b[pendingSends:], p.Sends)
	if p.Voice {
		b[pendingFlags] |= flagVoice
	}
	if p.Over {
		b[pendingFlags] |= flagOver
	}
}

func decodePending(b []byte) Pending {
	get := binary.BigEndian
	p := Pending{
		At: getTime(b[pendingAt:]), SID: text(b[pendingSID:pendingChecks]),
		Checks: get.Uint16(b[pendingChecks:]), Sends: get.Uint16(b[pendingSends:]),
		Voice: b[pendingFlags]&flagVoice != 0, Over: b[pendingFlags]&flagOver != 0,
	}
	copy(p.Device[:], b)
	return p
}

// text is what stands before the zeros that fill a field.
func text(b []byte) string { return strings.TrimRight(string(b), "\x00") }

// Where the parts of Refused lie. The kind of the address: 0 none, 4 or 6.
const (
	refusedFirst = 8
	refusedLast  = 16
	refusedKind  = 24
	refusedFrom  = 32
)

func (r Refused) encode(b []byte) {
	binary.BigEndian.PutUint32(b, r.Count)
	putTime(b[refusedFirst:], r.First)
	putTime(b[refusedLast:], r.Last)
	if !r.From.IsValid() {
		return
	}
	b[refusedKind] = 6
	if r.From.Is4() {
		b[refusedKind] = 4
	}
	address := r.From.As16()
	copy(b[refusedFrom:], address[:])
}

func decodeRefused(b []byte) Refused {
	r := Refused{
		Count: binary.BigEndian.Uint32(b), First: getTime(b[refusedFirst:]), Last: getTime(b[refusedLast:]),
	}
	address := netip.AddrFrom16([16]byte(b[refusedFrom:]))
	switch b[refusedKind] {
	case 4:
		r.From = address.Unmap()
	case 6:
		r.From = address
	}
	return r
}

// How version 1 said by which channel a code was sent.
const (
	channelSMS  = 1
	channelCall = 2
)

// decode1 reads a slot of version 1, which had one verification, beside the number of sends. It is moved to where version 2
// has it; what version 1 kept zero must be zero.
func decode1(b []byte) (*State, error) {
	moved := bytes.Clone(b)
	old := moved[offPending1:offSend] // checks, channel, three zeros, phone, time, name
	sid, channel := text(old[22:]), old[2]
	none := bytes.Equal(old, make([]byte, len(old)))
	sound := sid != "" && (channel == channelSMS || channel == channelCall) && bytes.Equal(old[3:6], make([]byte, 3))
	if !none && !sound || !bytes.Equal(b[offPendings:offSum], make([]byte, offSum-offPendings)) {
		return nil, errChecksum
	}
	if sound {
		p := Pending{
			At: getTime(old[14:]), SID: sid, Checks: binary.BigEndian.Uint16(old), Sends: 1, Voice: channel == channelCall,
		}
		copy(p.Device[:], old[6:])
		p.encode(moved[offPendings:])
		clear(old)
	}
	binary.BigEndian.PutUint16(moved[offVersion:], version)
	seal(moved)
	return decode(moved)
}
