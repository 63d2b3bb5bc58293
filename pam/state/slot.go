package state

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"

	"latchkey/pam/state/fixed"
)

const (
	slotSize  = 4096
	fileSize  = 2 * slotSize
	magic     = "LATCHKEY"
	version   = 3
	versionAt = len(magic)
	fieldsAt  = versionAt + 2
	sumAt     = slotSize - sha256.Size
)

var errChecksum = errors.New("checksum is wrong")

// encode writes s as a slot.
func (s *State) encode() ([]byte, error) {
	if err := s.fits(); err != nil {
		return nil, err
	}
	b := make([]byte, slotSize)
	copy(b, magic)
	binary.BigEndian.PutUint16(b[versionAt:], version)
	written := *s
	written.layout(fixed.Write(b[fieldsAt:sumAt]))
	seal(b)
	return b, nil
}

// fits reports what of s a slot has no room for.
func (s *State) fits() error {
	if len(s.Failures) > MaxFailures || len(s.Devices) > MaxDevices ||
		len(s.Sends) > MaxSends || len(s.Pendings) > MaxPendings {
		return fmt.Errorf("%d failures, %d devices, %d sends and %d verifications do not fit",
			len(s.Failures), len(s.Devices), len(s.Sends), len(s.Pendings))
	}
	if len(s.Trusts) > MaxTrusts || len(s.Networks) > MaxNetworks {
		return fmt.Errorf("%d trusted computers and %d networks do not fit", len(s.Trusts),
			len(s.Networks))
	}
	for _, p := range s.Pendings {
		if len(p.SID) > maxSID || p.SID == "" && p.Sends == 0 {
			return fmt.Errorf("a verification named %q, sent %d times, does not fit", p.SID,
				p.Sends)
		}
	}
	return nil
}

// seal writes the checksum.
func seal(b []byte) {
	sum := sha256.Sum256(b[:sumAt])
	copy(b[sumAt:], sum[:])
}

// decode reads a slot. The error is errChecksum if it is damaged and ErrNewer if it is whole but
// of another version.
func decode(b []byte) (*State, error) {
	sum := sha256.Sum256(b[:sumAt])
	if string(sum[:]) != string(b[sumAt:]) || string(b[:versionAt]) != magic {
		return nil, errChecksum
	}
	switch binary.BigEndian.Uint16(b[versionAt:]) {
	case version:
	case version1:
		return decode1(b)
	case version2:
		return decode2(b)
	default:
		return nil, ErrNewer
	}
	s, f := &State{}, fixed.Read(b[fieldsAt:sumAt])
	s.layout(f)
	if f.Misfit() {
		return nil, errChecksum
	}
	// What the fields do not cover must be zero, or this is not what encode wrote: writing it
	// again shows that.
	if again, err := s.encode(); err != nil || string(again) != string(b) {
		return nil, errChecksum
	}
	return s, nil
}
