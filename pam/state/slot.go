package state

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
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
	offReserved   = offDevice + MaxDevices*deviceSize
	offSum        = slotSize - sha256.Size
)

var errChecksum = errors.New("checksum is wrong")

// encode writes s as a slot.
func (s *State) encode() ([]byte, error) {
	if len(s.Failures) > MaxFailures || len(s.Devices) > MaxDevices {
		return nil, fmt.Errorf("%d failures and %d devices do not fit", len(s.Failures), len(s.Devices))
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
	}
	sum := sha256.Sum256(b[:offSum])
	copy(b[offSum:], sum[:])
	return b, nil
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
	// What the fields do not cover must be zero, or this is not what encode wrote: writing it again shows that.
	if again, err := s.encode(); err != nil || string(again) != string(b) {
		return nil, errChecksum
	}
	return s, nil
}

func decodeDevice(b []byte) Device {
	d := Device{Counter: binary.BigEndian.Uint64(b[8:]), Used: getTime(b[16:])}
	copy(d.ID[:], b)
	return d
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
