package state

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// fields goes through the bytes of a slot in order, to read its fields or to write them. One list of
// fields (State.layout) serves both, so that what is written is read from where it was written.
type fields struct {
	b      []byte // what was not gone through yet
	write  bool
	misfit bool // a number that was read is more than there is room for
}

// take is the next n bytes.
func (f *fields) take(n int) []byte {
	taken := f.b[:n]
	f.b = f.b[n:]
	return taken
}

// bytes is a field of as many bytes as v has.
func (f *fields) bytes(v []byte) {
	if b := f.take(len(v)); f.write {
		copy(b, v)
	} else {
		copy(v, b)
	}
}

// skip leaves out reserved bytes.
func (f *fields) skip(n int) { f.take(n) }

func (f *fields) uint8(v *byte) {
	if b := f.take(1); f.write {
		b[0] = *v
	} else {
		*v = b[0]
	}
}

func (f *fields) uint16(v *uint16) {
	if b := f.take(2); f.write {
		binary.BigEndian.PutUint16(b, *v)
	} else {
		*v = binary.BigEndian.Uint16(b)
	}
}

func (f *fields) uint32(v *uint32) {
	if b := f.take(4); f.write {
		binary.BigEndian.PutUint32(b, *v)
	} else {
		*v = binary.BigEndian.Uint32(b)
	}
}

func (f *fields) uint64(v *uint64) {
	if b := f.take(8); f.write {
		binary.BigEndian.PutUint64(b, *v)
	} else {
		*v = binary.BigEndian.Uint64(b)
	}
}

// time is seconds since 1970, and 0 for the zero time.
func (f *fields) time(v *time.Time) {
	var seconds uint64
	if !v.IsZero() {
		seconds = uint64(v.Unix())
	}
	f.uint64(&seconds)
	if !f.write && seconds != 0 {
		*v = time.Unix(int64(seconds), 0)
	}
}

// shortTime is time in 4 bytes, which last until 2106; later times are the last of these.
func (f *fields) shortTime(v *time.Time) {
	var seconds uint32
	if !v.IsZero() {
		seconds = uint32(min(max(v.Unix(), 0), math.MaxUint32))
	}
	f.uint32(&seconds)
	if !f.write && seconds != 0 {
		*v = time.Unix(int64(seconds), 0)
	}
}

// address is an address of a kind, IPv4 mapped into IPv6.
func (f *fields) address(v *netip.Addr, kind byte) {
	var b [16]byte
	if kind != 0 {
		b = v.As16()
	}
	f.bytes(b[:])
	switch kind {
	case kindIPv4:
		*v = netip.AddrFrom16(b).Unmap()
	case kindIPv6:
		*v = netip.AddrFrom16(b)
	}
}

// mapped is an address of either kind, IPv4 mapped into IPv6, and zeros for the zero Addr.
func (f *fields) mapped(v *netip.Addr) {
	var b [16]byte
	if v.IsValid() {
		b = v.As16()
	}
	f.bytes(b[:])
	if b != [16]byte{} {
		*v = netip.AddrFrom16(b).Unmap()
	}
}

// number is how many entries a list has, which stands before the list.
func (f *fields) number(of int) int {
	n := uint16(of)
	f.uint16(&n)
	return int(n)
}

// list is a list of n entries of size bytes each, and of zeros where there is room for more.
func list[T any](f *fields, v *[]T, n, room, size int, entry func(*T, *fields)) {
	if n > room {
		f.misfit, n = true, 0
	}
	if !f.write && n > 0 {
		*v = make([]T, n)
	}
	all := fields{b: f.take(room * size), write: f.write}
	for i := range n {
		entry(&(*v)[i], &all)
	}
}

// sparse is a list without a number before it: an entry that is all zeros is none.
func sparse[T any](f *fields, v *[]T, room, size int, entry func(*T, *fields)) {
	if f.write {
		list(f, v, len(*v), room, size, entry)
		return
	}
	for range room {
		if one := (fields{b: f.take(size)}); !empty(one.b) {
			*v = append(*v, *new(T))
			entry(&(*v)[len(*v)-1], &one)
		}
	}
}

// empty reports whether b is all zeros.
func empty(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}
