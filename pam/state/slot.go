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
	version  = 2
	version1 = 1 // read, never written: it had room for one verification, and did not count refusals

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
	offPending1   = offSends + 2 // of version 1
	offSend       = offSends + 64
	sendSize      = 16
	offRecovery   = offSend + MaxSends*sendSize
	offNext       = offRecovery + 16
	offTicket     = offNext + 16
	offBypass     = offTicket + oneTimeSize
	oneTimeSize   = 56
	offPendings   = offBypass + oneTimeSize
	pendingSize   = 64
	offRefused    = offPendings + MaxPendings*pendingSize

	offSum = slotSize - sha256.Size
)

var errChecksum = errors.New("checksum is wrong")

// encode writes s as a slot.
func (s *State) encode() ([]byte, error) {
	if err := s.fits(); err != nil {
		return nil, err
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
	put.PutUint16(b[offSends:], uint16(len(s.Sends)))
	for i, send := range s.Sends {
		at := b[offSend+sendSize*i:]
		putTime(at, send.At)
		put.PutUint32(at[8:], send.Count)
	}
	s.Recovery.encode(b[offRecovery:])
	s.Next.encode(b[offNext:])
	s.Ticket.encode(b[offTicket:])
	s.Bypass.encode(b[offBypass:])
	for i, p := range s.Pendings {
		p.encode(b[offPendings+pendingSize*i:])
	}
	s.Refused.encode(b[offRefused:])
	seal(b)
	return b, nil
}

// fits reports what of s a slot has no room for.
func (s *State) fits() error {
	if len(s.Failures) > MaxFailures || len(s.Devices) > MaxDevices || len(s.Sends) > MaxSends || len(s.Pendings) > MaxPendings {
		return fmt.Errorf("%d failures, %d devices, %d sends and %d verifications do not fit",
			len(s.Failures), len(s.Devices), len(s.Sends), len(s.Pendings))
	}
	for _, p := range s.Pendings {
		if len(p.SID) > maxSID || p.SID == "" && p.Sends == 0 {
			return fmt.Errorf("a verification named %q, sent %d times, does not fit", p.SID, p.Sends)
		}
	}
	return nil
}

// seal writes the checksum.
func seal(b []byte) {
	sum := sha256.Sum256(b[:offSum])
	copy(b[offSum:], sum[:])
}

// decode reads a slot. The error is errChecksum if it is damaged and ErrNewer if it is whole but of another version.
func decode(b []byte) (*State, error) {
	if sum := sha256.Sum256(b[:offSum]); string(sum[:]) != string(b[offSum:]) || string(b[:len(magic)]) != magic {
		return nil, errChecksum
	}
	get := binary.BigEndian
	switch get.Uint16(b[offVersion:]) {
	case version:
	case version1:
		return decode1(b)
	default:
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
	s.Ticket, s.Bypass = decodeOneTimeCode(b[offTicket:]), decodeOneTimeCode(b[offBypass:])
	for at := offPendings; at < offRefused; at += pendingSize {
		if p := decodePending(b[at:]); p != (Pending{}) {
			s.Pendings = append(s.Pendings, p)
		}
	}
	s.Refused = decodeRefused(b[offRefused:])
	// What the fields do not cover must be zero, or this is not what encode wrote: writing it again shows that.
	if again, err := s.encode(); err != nil || string(again) != string(b) {
		return nil, errChecksum
	}
	return s, nil
}

func (s *State) decodeSends(b []byte) bool {
	get := binary.BigEndian
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

func (c OneTimeCode) encode(b []byte) {
	putTime(b, c.Until)
	copy(b[8:], c.Salt[:])
	copy(b[24:], c.Hash[:])
}

func decodeOneTimeCode(b []byte) OneTimeCode {
	c := OneTimeCode{Until: getTime(b)}
	copy(c.Salt[:], b[8:])
	copy(c.Hash[:], b[24:])
	return c
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
