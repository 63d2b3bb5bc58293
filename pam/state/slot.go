package state

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	slotSize = 4096
	fileSize = 2 * slotSize
	magic    = "LATCHKEY"
	version  = 1

	offVersion    = 8
	offFailures   = 10
	offUID        = 12
	offSequence   = 16
	offEnrollment = 24
	offLocked     = 40
	offDevices    = 48
	offFailure    = 56
	offDevice     = offFailure + MaxFailures*8
	deviceSize    = 32
	offSends      = offDevice + MaxDevices*deviceSize
	offChecks     = offSends + 2
	offChannel    = offSends + 4
	offPending    = offSends + 8
	offSID        = offPending + 16
	offSend       = offSID + maxSID
	sendSize      = 16
	offRecovery   = offSend + MaxSends*sendSize
	offNext       = offRecovery + 16
	offTicket     = offNext + 16
	offBypass     = offTicket + grantSize
	grantSize     = 56

	channelSMS  = 1
	channelCall = 2

	offSum = slotSize - sha256.Size
)

var errChecksum = errors.New("checksum is wrong")

// encode writes s as a slot.
func (s *State) encode() ([]byte, error) {
	if len(s.Failures) > MaxFailures || len(s.Devices) > MaxDevices || len(s.Sends) > MaxSends || len(s.Pending.SID) > maxSID {
		return nil, fmt.Errorf("%d failures, %d devices and %d sends do not fit", len(s.Failures), len(s.Devices), len(s.Sends))
	}
	b := make([]byte, slotSize)
	copy(b, magic)
	put := binary.BigEndian
	put.PutUint16(b[offVersion:], version)
	put.PutUint16(b[offFailures:], uint16(len(s.Failures)))
	put.PutUint32(b[offUID:], s.UID)
	put.PutUint64(b[offSequence:], s.sequence)
	copy(b[offEnrollment:], s.Enrollment[:])
	putTime(b[offLocked:], s.Locked)
	put.PutUint16(b[offDevices:], uint16(len(s.Devices)))
	for i, t := range s.Failures {
		putTime(b[offFailure+8*i:], t)
	}
	for i, d := range s.Devices {
		at := b[offDevice+deviceSize*i:]
		copy(at, d.ID[:])
		put.PutUint64(at[8:], d.Counter)
		putTime(at[16:], d.Used)
		put.PutUint64(at[24:], d.Resync)
	}
	s.encodeSends(b)
	s.Recovery.encode(b[offRecovery:])
	s.Next.encode(b[offNext:])
	s.Ticket.encode(b[offTicket:])
	s.Bypass.encode(b[offBypass:])
	sum := sha256.Sum256(b[:offSum])
	copy(b[offSum:], sum[:])
	return b, nil
}

func (s *State) encodeSends(b []byte) {
	put := binary.BigEndian
	put.PutUint16(b[offSends:], uint16(len(s.Sends)))
	put.PutUint16(b[offChecks:], s.Pending.Checks)
	if s.Pending.SID != "" {
		b[offChannel] = channelSMS
		if s.Pending.Voice {
			b[offChannel] = channelCall
		}
	}
	copy(b[offPending:], s.Pending.Device[:])
	putTime(b[offPending+8:], s.Pending.At)
	copy(b[offSID:], s.Pending.SID)
	for i, send := range s.Sends {
		at := b[offSend+sendSize*i:]
		putTime(at, send.At)
		put.PutUint32(at[8:], send.Count)
	}
}

// decode reads a slot. The error is errChecksum if it is damaged and ErrNewer if it is whole but of another version.
func decode(b []byte) (*State, error) {
	if sum := sha256.Sum256(b[:offSum]); string(sum[:]) != string(b[offSum:]) || string(b[:len(magic)]) != magic {
		return nil, errChecksum
	}
	get := binary.BigEndian
	if get.Uint16(b[offVersion:]) != version {
		return nil, ErrNewer
	}
	s := &State{UID: get.Uint32(b[offUID:]), Locked: getTime(b[offLocked:]), sequence: get.Uint64(b[offSequence:])}
	copy(s.Enrollment[:], b[offEnrollment:])
	failures, devices := int(get.Uint16(b[offFailures:])), int(get.Uint16(b[offDevices:]))
	if failures > MaxFailures || devices > MaxDevices {
		return nil, errChecksum
	}
	for i := range failures {
		s.Failures = append(s.Failures, getTime(b[offFailure+8*i:]))
	}
	for i := range devices {
		s.Devices = append(s.Devices, decodeDevice(b[offDevice+deviceSize*i:]))
	}
	if !s.decodeSends(b) {
		return nil, errChecksum
	}
	s.Recovery, s.Next = decodeRecovery(b[offRecovery:]), decodeRecovery(b[offNext:])
	s.Ticket, s.Bypass = decodeGrant(b[offTicket:]), decodeGrant(b[offBypass:])
	// What the fields do not cover must be zero, or this is not what encode wrote: writing it again shows that.
	if again, err := s.encode(); err != nil || string(again) != string(b) {
		return nil, errChecksum
	}
	return s, nil
}

func (s *State) decodeSends(b []byte) bool {
	get := binary.BigEndian
	s.Pending = Pending{At: getTime(b[offPending+8:]), Checks: get.Uint16(b[offChecks:]), Voice: b[offChannel] == channelCall}
	copy(s.Pending.Device[:], b[offPending:])
	s.Pending.SID = strings.TrimRight(string(b[offSID:offSID+maxSID]), "\x00")
	sends := int(get.Uint16(b[offSends:]))
	if sends > MaxSends {
		return false
	}
	for i := range sends {
		at := b[offSend+sendSize*i:]
		s.Sends = append(s.Sends, Send{At: getTime(at), Count: get.Uint32(at[8:])})
	}
	return true
}

func decodeDevice(b []byte) Device {
	d := Device{Counter: binary.BigEndian.Uint64(b[8:]), Used: getTime(b[16:]), Resync: binary.BigEndian.Uint64(b[24:])}
	copy(d.ID[:], b)
	return d
}

func (r Recovery) encode(b []byte) {
	copy(b, r.Set[:])
	binary.BigEndian.PutUint64(b[8:], r.Used)
}

func decodeRecovery(b []byte) Recovery {
	r := Recovery{Used: binary.BigEndian.Uint64(b[8:])}
	copy(r.Set[:], b)
	return r
}

func (g Grant) encode(b []byte) {
	putTime(b, g.Until)
	copy(b[8:], g.Salt[:])
	copy(b[24:], g.Hash[:])
}

func decodeGrant(b []byte) Grant {
	g := Grant{Until: getTime(b)}
	copy(g.Salt[:], b[8:])
	copy(g.Hash[:], b[24:])
	return g
}

func putTime(b []byte, t time.Time) {
	if !t.IsZero() {
		binary.BigEndian.PutUint64(b, uint64(t.Unix()))
	}
}

func getTime(b []byte) time.Time {
	if seconds := binary.BigEndian.Uint64(b); seconds != 0 {
		return time.Unix(int64(seconds), 0)
	}
	return time.Time{}
}
