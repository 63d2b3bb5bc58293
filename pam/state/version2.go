package state

import (
	"bytes"
	"encoding/binary"
)

// version2 is read, never written: it knew no trusted computers and kept no attempts and networks.
const version2 = 2

// decode2 reads a slot of version 2, whose sends had four reserved bytes each, and what follows
// them stood later in the slot. It is moved to where version 3 has it; what version 2 kept zero
// must be zero.
func decode2(b []byte) (*State, error) {
	const (
		number = 1592
		sends2 = 1656
		rest2  = sends2 + MaxSends*16
		told2  = 3340
		lock2  = 3361
		end2   = 3384

		sends3 = 1600
		rest3  = sends3 + MaxSends*12
	)
	moved := make([]byte, slotSize)
	copy(moved, b[:number+2])
	reserved := [][]byte{b[number+2 : sends2], b[told2 : told2+4], b[lock2 : lock2+7],
		b[end2:sumAt]}
	for i := range MaxSends {
		send := b[sends2+16*i:][:16]
		copy(moved[sends3+12*i:], send[:12])
		reserved = append(reserved, send[12:])
	}
	for _, zero := range reserved {
		if !bytes.Equal(zero, make([]byte, len(zero))) {
			return nil, errChecksum
		}
	}
	copy(moved[rest3:], b[rest2:end2])
	binary.BigEndian.PutUint16(moved[versionAt:], version)
	seal(moved)
	return decode(moved)
}
