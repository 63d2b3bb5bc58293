package apparmor

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// machine is a deterministic automaton over bytes, in tables that the kernel walks the same way.
type machine struct {
	accept, base, fallback, next, check []uint32
	classes                             []byte // of bytes that are alike; nil: each is its own
}

// start is the state in which every machine starts. State 0 accepts nothing and is never left.
const start = 1

// chained marks a state in base that has its fallback's transitions and some of its own.
const chained = 1 << 31

// match returns the state after a text.
func (m *machine) match(state uint32, text string) uint32 {
	for i := range len(text) {
		state = m.step(state, text[i])
	}
	return state
}

func (m *machine) step(state uint32, c byte) uint32 {
	if m.classes != nil {
		c = m.classes[c]
	}
	for {
		base := m.base[state]
		if at := base&0xffffff + uint32(c); m.check[at] == state {
			return m.next[at]
		}
		state = m.fallback[state]
		if base&chained == 0 {
			return state
		}
	}
}

var magic = []byte{0x1b, 0x5e, 0x78, 0x3d}

var errTables = errors.New("the compiled profile's tables end early")

// newMachine reads the tables, which are in network order and padded to eight bytes, as is their
// beginning.
func newMachine(data []byte) (*machine, error) {
	at := bytes.Index(data, magic)
	if at < 0 || len(data) < at+8 {
		return nil, errTables
	}
	data = data[at:]
	data = data[min(len(data), int(binary.BigEndian.Uint32(data[4:]))):]
	m := new(machine)
	for len(data) > 0 {
		rest, err := m.table(data)
		if err != nil {
			return nil, err
		}
		data = rest
	}
	if m.accept == nil || m.base == nil || m.fallback == nil || m.next == nil || m.check == nil {
		return nil, errTables
	}
	return m, nil
}

// table reads one table: its kind, the width of an entry, and how many there are.
func (m *machine) table(data []byte) (rest []byte, err error) {
	const header = 12
	if len(data) < header {
		return nil, errTables
	}
	kind, width := binary.BigEndian.Uint16(data), int(binary.BigEndian.Uint16(data[2:]))
	count := int(binary.BigEndian.Uint32(data[8:]))
	end := (header + count*width + 7) &^ 7
	if len(data) < end {
		return nil, errTables
	}
	entries := data[header : header+count*width]
	switch kind {
	case 1:
		m.accept = numbers(entries, width)
	case 2:
		m.base = numbers(entries, width)
	case 3:
		m.check = numbers(entries, width)
	case 4:
		m.fallback = numbers(entries, width)
	case 5:
		m.classes = entries
	case 8:
		m.next = numbers(entries, width)
	}
	return data[end:], nil
}

func numbers(data []byte, width int) []uint32 {
	all := make([]uint32, 0, len(data)/width)
	for at := 0; at < len(data); at += width {
		if width == 2 {
			all = append(all, uint32(binary.BigEndian.Uint16(data[at:])))
		} else {
			all = append(all, binary.BigEndian.Uint32(data[at:]))
		}
	}
	return all
}
