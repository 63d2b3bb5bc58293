// Package fixed reads and writes bytes in which every field has its place and its length.
package fixed

import (
	"bytes"
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// Fields goes through bytes in order, to read their fields or to write them. One list of fields
// serves both, so that what is written is read from where it was written. Numbers are big-endian.
type Fields struct {
	b      []byte // what was not gone through yet
	write  bool
	misfit bool
}

// Read reads the fields in b.
func Read(b []byte) *Fields { return &Fields{b: b} }

// Write writes fields into b, which is zero.
func Write(b []byte) *Fields { return &Fields{b: b, write: true} }

// Misfit reports whether a number that was read is more than there is room for.
func (f *Fields) Misfit() bool { return f.misfit }

// take is the next n bytes.
func (f *Fields) take(n int) []byte {
	taken := f.b[:n]
	f.b = f.b[n:]
	return taken
}

// Bytes is a field of as many bytes as v has.
func (f *Fields) Bytes(v []byte) {
	if b := f.take(len(v)); f.write {
		copy(b, v)
	} else {
		copy(v, b)
	}
}

// Skip leaves out reserved bytes.
func (f *Fields) Skip(n int) { f.take(n) }

// Uint8 is a number of 8 bits.
func (f *Fields) Uint8(v *byte) {
	if b := f.take(1); f.write {
		b[0] = *v
	} else {
		*v = b[0]
	}
}

// Uint16 is a number of 16 bits.
func (f *Fields) Uint16(v *uint16) {
	if b := f.take(2); f.write {
		binary.BigEndian.PutUint16(b, *v)
	} else {
		*v = binary.BigEndian.Uint16(b)
	}
}

// Uint32 is a number of 32 bits.
func (f *Fields) Uint32(v *uint32) {
	if b := f.take(4); f.write {
		binary.BigEndian.PutUint32(b, *v)
	} else {
		*v = binary.BigEndian.Uint32(b)
	}
}

// Uint64 is a number of 64 bits.
func (f *Fields) Uint64(v *uint64) {
	if b := f.take(8); f.write {
		binary.BigEndian.PutUint64(b, *v)
	} else {
		*v = binary.BigEndian.Uint64(b)
	}
}

// Time is seconds since 1970, and 0 for the zero time.
func (f *Fields) Time(v *time.Time) {
	var seconds uint64
	if !v.IsZero() {
		seconds = uint64(v.Unix())
	}
	f.Uint64(&seconds)
	if !f.write && seconds != 0 {
		*v = time.Unix(int64(seconds), 0)
	}
}

// ShortTime is Time in 4 bytes, which last until 2106; later times are the last of these.
func (f *Fields) ShortTime(v *time.Time) {
	var seconds uint32
	if !v.IsZero() {
		seconds = uint32(min(max(v.Unix(), 0), math.MaxUint32))
	}
	f.Uint32(&seconds)
	if !f.write && seconds != 0 {
		*v = time.Unix(int64(seconds), 0)
	}
}

// The kinds of an address; 0 is none.
const (
	IPv4 = 4
	IPv6 = 6
)

// KindOf is the kind of an address.
func KindOf(a netip.Addr) byte {
	switch {
	case !a.IsValid():
		return 0
	case a.Is4():
		return IPv4
	}
	return IPv6
}

// Address is an address of a kind, IPv4 mapped into IPv6.
func (f *Fields) Address(v *netip.Addr, kind byte) {
	var b [16]byte
	if kind != 0 {
		b = v.As16()
	}
	f.Bytes(b[:])
	switch kind {
	case IPv4:
		*v = netip.AddrFrom16(b).Unmap()
	case IPv6:
		*v = netip.AddrFrom16(b)
	}
}

// Mapped is an address of either kind, IPv4 mapped into IPv6, and zeros for the zero Addr.
func (f *Fields) Mapped(v *netip.Addr) {
	var b [16]byte
	if v.IsValid() {
		b = v.As16()
	}
	f.Bytes(b[:])
	if b != [16]byte{} {
		*v = netip.AddrFrom16(b).Unmap()
	}
}

// Text is a string in a field of size bytes, filled up with zeros. A longer one is cut.
func (f *Fields) Text(v *string, size int) {
	if b := f.take(size); f.write {
		copy(b, *v)
	} else {
		*v = string(bytes.TrimRight(b, "\x00"))
	}
}

// Number is how many entries a list has, which stands before the list.
func (f *Fields) Number(of int) int {
	n := uint16(of)
	f.Uint16(&n)
	return int(n)
}

// List is a list of n entries of size bytes each, and of zeros where there is room for more.
func List[T any](f *Fields, v *[]T, n, room, size int, entry func(*T, *Fields)) {
	if n > room {
		f.misfit, n = true, 0
	}
	if !f.write && n > 0 {
		*v = make([]T, n)
	}
	all := Fields{b: f.take(room * size), write: f.write}
	for i := range n {
		entry(&(*v)[i], &all)
	}
}

// Sparse is a list without a number before it: an entry that is all zeros is none.
func Sparse[T any](f *Fields, v *[]T, room, size int, entry func(*T, *Fields)) {
	if f.write {
		List(f, v, len(*v), room, size, entry)
		return
	}
	for range room {
		if one := (Fields{b: f.take(size)}); !empty(one.b) {
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
