package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/method"
)

// full is a state with something in every field; its times are whole seconds, as in the file.
func full() *State {
	s := &State{UID: 1000, Enrollment: EnrollmentID{1, 2}, Locked: time.Unix(1800000000, 0),
		sequence: 7}
	for i := range MaxFailures {
		s.Failures = append(s.Failures, time.Unix(1800000000+int64(i), 0))
	}
	for i := range MaxDevices {
		s.Devices = append(s.Devices, Device{ID: DeviceID{byte(i), 0xff},
			Counter: 60000000 + uint64(i), Used: time.Unix(int64(i), 0)})
	}
	s.Devices[0].Used = time.Time{}
	s.Ticket = OneTimeCode{Until: time.Unix(1800000001, 0), Salt: [16]byte{1},
		Hash: [32]byte{31: 2}}
	s.Bypass = OneTimeCode{Until: time.Unix(1800000002, 0), Salt: [16]byte{15: 3},
		Hash: [32]byte{4}}
	for i := range MaxPendings {
		s.Pendings = append(s.Pendings, Pending{
			Device: DeviceID{byte(i), 0xff}, At: time.Unix(1800000100+int64(i), 0),
			Voice: i%2 == 1, Over: i%3 == 1,
			SID: fmt.Sprintf("VE%032d", i), Checks: uint16(i), Sends: uint16(i + 1),
		})
	}
	s.Refused = Refused{
		Count: 99, Told: 98, Locked: true, First: time.Unix(1800000200, 0),
		Last: time.Unix(1800000201, 0), From: netip.MustParseAddr("192.0.2.7"),
	}
	return withVersion3(s)
}

// withVersion3 adds what version 3 has and earlier ones had not.
func withVersion3(s *State) *State {
	for i := range MaxTrusts {
		s.Trusts = append(s.Trusts, Trust{
			Key: [16]byte{15: byte(i + 1)}, From: netip.MustParseAddr("2001:db8::"),
			Anywhere: i%2 == 1,
			Since:    time.Unix(1800000300+int64(i), 0), Days: uint16(i), Service: 0xaa,
			Tag: [8]byte{7: byte(i)},
		})
	}
	s.Trusts[0].From = netip.MustParseAddr("192.0.2.8")
	s.Trusts[1].From = netip.Addr{}
	s.Clock = time.Unix(1800000400, 0)
	s.Accepted = Attempt{
		At: time.Unix(1800000500, 0), From: netip.MustParseAddr("192.0.2.9"), Service: "sshd",
		Method: method.Bypass,
		Device: DeviceID{1, 0xee},
	}
	s.Denied = Attempt{
		At: time.Unix(1800000600, 0), From: netip.MustParseAddr("2001:db8::9"),
		Service: "a-service-of-22-bytes-",
		Method:  method.TOTP, Device: DeviceID{2, 0xee},
	}
	for i := range MaxNetworks {
		prefix := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(i), 0}), 24)
		s.Networks = append(s.Networks, Network{prefix, time.Unix(1800000700+int64(i), 0)})
	}
	s.Networks[MaxNetworks-1].Prefix = netip.MustParsePrefix("2001:db8:1:2::/64")
	s.Sends = []Send{}
	for i := range MaxSends {
		s.Sends = append(s.Sends, Send{At: time.Unix(1800000800+int64(i), 0),
			Count: uint32(i + 1)})
	}
	return s
}

func encoded(t *testing.T, s *State) []byte {
	t.Helper()
	b, err := s.encode()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// sealed gives a slot the checksum that goes with its bytes.
func sealed(b []byte) []byte {
	sum := sha256.Sum256(b[:sumAt])
	copy(b[sumAt:], sum[:])
	return b
}

func TestStateIsReadAsItWasWritten(t *testing.T) {
	for name, s := range map[string]*State{
		"empty":            {},
		"full":             full(),
		"the last uid":     {UID: 1<<32 - 1},
		"the longest name": {Pendings: []Pending{{SID: strings.Repeat("x", maxSID)}}},
		"a lock":           {Refused: Refused{Count: 1, Locked: true}},
		"IPv6":             {Refused: Refused{Count: 1, From: netip.MustParseAddr("2001:db8::7")}},
		"a send booked": {Pendings: []Pending{{Device: DeviceID{1}, At: time.Unix(1800000000, 0),
			Sends: 1}}},
		"a client here": {Networks: []Network{{netip.MustParsePrefix("::/64"),
			time.Unix(1800000000, 0)}}},
		"the last steps": {Devices: []Device{{Counter: 1<<64 - 1}}, sequence: 1<<64 - 1},
	} {
		b := encoded(t, s)
		got, err := decode(b)
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s: read %+v, %v", name, got, err)
		}
		if len(b) != slotSize {
			t.Errorf("%s: %d bytes", name, len(b))
		}
	}
}

func TestStateThatDoesNotFitIsNotWritten(t *testing.T) {
	for name, s := range map[string]*State{
		"failures":          {Failures: make([]time.Time, MaxFailures+1)},
		"devices":           {Devices: make([]Device, MaxDevices+1)},
		"sends":             {Sends: make([]Send, MaxSends+1)},
		"trusted computers": {Trusts: make([]Trust, MaxTrusts+1)},
		"networks":          {Networks: make([]Network, MaxNetworks+1)},
		"verifications": {Pendings: slices.Repeat([]Pending{{SID: "VE"}},
			MaxPendings+1)},
		"letters of a verification": {Pendings: []Pending{{SID: strings.Repeat("x", maxSID+1)}}},
	} {
		if _, err := s.encode(); err == nil {
			t.Errorf("too many %s were written", name)
		}
	}
}

func TestSlotIsAsFormatSays(t *testing.T) {
	b := encoded(t, full())
	be := binary.BigEndian
	for _, c := range []struct {
		what      string
		got, want uint64
	}{
		{"version", uint64(be.Uint16(b[8:])), 3},
		{"failures", uint64(be.Uint16(b[10:])), 64},
		{"uid", uint64(be.Uint32(b[12:])), 1000},
		{"sequence", be.Uint64(b[16:]), 7},
		{"enrollment", be.Uint64(b[24:]), 0x0102 << 48},
		{"locked", be.Uint64(b[40:]), 1800000000},
		{"devices", uint64(be.Uint16(b[48:])), 32},
		{"last failure", be.Uint64(b[56+63*8:]), 1800000063},
		{"last device's id", be.Uint64(b[568+31*32:]), 0x1fff << 48},
		{"last device's step", be.Uint64(b[568+31*32+8:]), 60000031},
		{"last device's use", be.Uint64(b[568+31*32+16:]), 31},
		{"sends", uint64(be.Uint16(b[1592:])), 64},
		{"last send", be.Uint64(b[1600+63*12:]), 1800000863},
		{"last sends", uint64(be.Uint32(b[1600+63*12+8:])), 64},
		{"ticket's end", be.Uint64(b[2400:]), 1800000001},
		{"ticket's salt", uint64(b[2408]), 1},
		{"ticket's hash", uint64(b[2424+31]), 2},
		{"bypass's end", be.Uint64(b[2456:]), 1800000002},
		{"bypass's salt", uint64(b[2464+15]), 3},
		{"bypass's hash", uint64(b[2480]), 4},
		{"last verification's phone", be.Uint64(b[2512+7*64:]), 0x07ff << 48},
		{"last verification's time", be.Uint64(b[2512+7*64+8:]), 1800000107},
		{"last verification's name", uint64(b[2512+7*64+16+33]), '7'},
		{"last verification's checks", uint64(be.Uint16(b[2512+7*64+56:])), 7},
		{"last verification's sends", uint64(be.Uint16(b[2512+7*64+58:])), 8},
		{"last verification's flags", uint64(b[2512+7*64+60]), 3},
		{"refused", uint64(be.Uint32(b[3024:])), 99},
		{"refused and told", uint64(be.Uint32(b[3028:])), 98},
		{"first refused", be.Uint64(b[3032:]), 1800000200},
		{"last refused", be.Uint64(b[3040:]), 1800000201},
		{"kind of address", uint64(b[3048]), 4},
		{"address", uint64(be.Uint32(b[3068:])), 192<<24 | 2<<8 | 7},
		{"last trust's key", be.Uint64(b[3072+15*48+8:]), 16},
		{"last trust's address", uint64(be.Uint32(b[3072+15*48+16:])), 0x20010db8},
		{"first trust's address", be.Uint64(b[3072+24:]), 0xffff<<32 | 192<<24 | 2<<8 | 8},
		{"last trust's time", uint64(be.Uint32(b[3072+15*48+32:])), 1800000315},
		{"last trust's days", uint64(be.Uint16(b[3072+15*48+36:])), 15},
		{"last trust's flags", uint64(b[3072+15*48+38]), 1},
		{"last trust's service", uint64(b[3072+15*48+39]), 0xaa},
		{"last trust's tag", be.Uint64(b[3072+15*48+40:]), 15},
		{"latest time", be.Uint64(b[3840:]), 1800000400},
		{"accepted", be.Uint64(b[3848:]), 1800000500},
		{"accepted device", be.Uint64(b[3856:]), 0x01ee << 48},
		{"accepted service", uint64(be.Uint32(b[3864:])), 0x73736864},
		{"accepted method", uint64(b[3886]), 8},
		{"accepted kind of address", uint64(b[3887]), 4},
		{"accepted address", uint64(be.Uint32(b[3900:])), 192<<24 | 2<<8 | 9},
		{"denied", be.Uint64(b[3904:]), 1800000600},
		{"denied kind of address", uint64(b[3943]), 6},
		{"denied address", uint64(b[3959]), 9},
		{"first network", be.Uint64(b[3960:]), 4<<32 | 10<<24},
		{"last network", be.Uint64(b[3960+7*12:]), 0x20010db800010002},
		{"last network's time", uint64(be.Uint32(b[3960+7*12+8:])), 1800000707},
	} {
		if c.got != c.want {
			t.Errorf("%s is %d, not %d", c.what, c.got, c.want)
		}
	}
	if sum := sha256.Sum256(b[:4064]); string(b[:8]) != "LATCHKEY" ||
		!bytes.Equal(sum[:], b[4064:]) {
		t.Error("the magic or the checksum is not where it should be")
	}
}

func TestSlotWithAnythingElseInItIsDamaged(t *testing.T) {
	small := &State{Failures: full().Failures[:2], Devices: full().Devices[:2]}
	cases := []struct {
		name   string
		change func(b []byte)
		want   error
	}{
		{"another magic", func(b []byte) { b[0] = 'l' }, errChecksum},
		{"a reserved byte after the header", func(b []byte) { b[50] = 1 }, errChecksum},
		{"the last reserved byte of the header", func(b []byte) { b[55] = 1 }, errChecksum},
		{"a failure more than counted", func(b []byte) { b[56+2*8] = 1 }, errChecksum},
		{"a device more than counted", func(b []byte) { b[568+2*32] = 1 }, errChecksum},
		{"the first reserved byte before the sends", func(b []byte) { b[1594] = 1 }, errChecksum},
		{"the last reserved byte before the sends", func(b []byte) { b[1599] = 1 }, errChecksum},
		{"a send more than counted", func(b []byte) { b[1600] = 1 }, errChecksum},
		{"a verification that was never sent and has no name", func(b []byte) { b[2512] = 1 },
			errChecksum},
		{"an unknown flag", func(b []byte) { b[2512+59], b[2512+60] = 1, 4 }, errChecksum},
		{"a gap between verifications", func(b []byte) { b[2512+64+59] = 1 }, errChecksum},
		{"an unknown kind of address", func(b []byte) { b[3048] = 5 }, errChecksum},
		{"an unknown word about a lock", func(b []byte) { b[3049] = 2 }, errChecksum},
		{"a reserved byte behind the kind of an address", func(b []byte) { b[3050] = 1 },
			errChecksum},
		{"an unknown flag of a trust", func(b []byte) { b[3072+38] = 2 }, errChecksum},
		{"a gap between trusts", func(b []byte) { b[3072+48] = 1 }, errChecksum},
		{"an unknown method", func(b []byte) { b[3886] = 9 }, errChecksum},
		{"an unknown kind of address of an attempt", func(b []byte) { b[3887] = 1 }, errChecksum},
		{"an address of no kind", func(b []byte) { b[3959] = 1 }, errChecksum},
		{"a gap between networks", func(b []byte) { b[3960+12] = 1 }, errChecksum},
		{"the first reserved byte at the end", func(b []byte) { b[4056] = 1 }, errChecksum},
		{"the last reserved byte at the end", func(b []byte) { b[4063] = 1 }, errChecksum},
		{"too many failures", func(b []byte) { b[11] = 65 }, errChecksum},
		{"very many failures", func(b []byte) { b[10], b[11] = 255, 255 }, errChecksum},
		{"too many devices", func(b []byte) { b[49] = 33 }, errChecksum},
		{"very many devices", func(b []byte) { b[48], b[49] = 255, 255 }, errChecksum},
		{"version 4", func(b []byte) { b[9] = 4 }, ErrNewer},
		{"version 0", func(b []byte) { b[9] = 0 }, ErrNewer},
		{"version 257", func(b []byte) { b[8] = 1 }, ErrNewer},
	}
	for _, c := range cases {
		b := encoded(t, small)
		c.change(b)
		if s, err := decode(sealed(b)); s != nil || !errors.Is(err, c.want) {
			t.Errorf("%s: %v, not %v", c.name, err, c.want)
		}
	}
}

func TestSlotWithAnySingleBitFlippedIsDamaged(t *testing.T) {
	b := encoded(t, full())
	for bit := range slotSize * 8 {
		b[bit/8] ^= 1 << (bit % 8)
		if _, err := decode(b); err != errChecksum {
			t.Fatalf("byte %d, bit %d: %v", bit/8, bit%8, err)
		}
		b[bit/8] ^= 1 << (bit % 8)
	}
}

func TestWithAByteChangedInOneSlotTheOtherCounts(t *testing.T) {
	s := full()
	b := encoded(t, s)
	for slot, says := range []string{"slot 1 of the state is damaged",
		"slot 2 of the state is damaged"} {
		file := slices.Concat(b, b)
		for i := range slotSize {
			at := slot*slotSize + i
			file[at] ^= 1 << (i % 8)
			got, err := parse(bytes.NewReader(file))
			if err != nil || got.Damage != says || got.next != slot || got.sequence != s.sequence {
				t.Fatalf("byte %d: %v, %+v", at, err, got)
			}
			if again := encoded(t, &got.State); !bytes.Equal(again, b) {
				t.Fatalf("byte %d: another state was read", at)
			}
			file[at] ^= 1 << (i % 8)
		}
	}
}

func TestWithTheSameByteChangedInBothSlotsThereIsNoState(t *testing.T) {
	b := encoded(t, full())
	file := slices.Concat(b, b)
	for i := range slotSize {
		file[i], file[slotSize+i] = b[i]^1<<(i%8), b[i]^1<<(i%8)
		if _, err := parse(bytes.NewReader(file)); !errors.Is(err, ErrDamaged) {
			t.Fatalf("byte %d: %v", i, err)
		}
		file[i], file[slotSize+i] = b[i], b[i]
	}
}

func TestOfTwoSlots(t *testing.T) {
	old, young := encoded(t, &State{sequence: 4, UID: 4}), encoded(t, &State{sequence: 5, UID: 5})
	other := encoded(t, &State{sequence: 5, UID: 6})
	zero, newer := make([]byte, slotSize), encoded(t, &State{sequence: 3})
	newer[9] = 4
	sealed(newer)
	cases := []struct {
		name     string
		one, two []byte
		uid      uint32
		want     error
	}{
		{"the younger counts if it is the first", young, old, 5, nil},
		{"the younger counts if it is the second", old, young, 5, nil},
		{"the whole one counts, though it may be older", old, zero, 4, nil},
		{"the second counts if the first is empty", zero, old, 4, nil},
		{"neither counts if both are empty", zero, zero, 0, ErrDamaged},
		{"neither counts if they contradict each other", young, other, 0, ErrDamaged},
		{"another version wins over everything", young, newer, 0, ErrNewer},
		{"another version is said first", newer, zero, 0, ErrNewer},
	}
	for _, c := range cases {
		f, err := parse(bytes.NewReader(slices.Concat(c.one, c.two)))
		if !errors.Is(err, c.want) || err == nil && f.UID != c.uid {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

// memory is a file in memory.
type memory struct{ b []byte }

func (m *memory) ReadAt(b []byte, at int64) (int, error)  { return copy(b, m.b[at:]), nil }
func (m *memory) WriteAt(b []byte, at int64) (int, error) { return copy(m.b[at:], b), nil }
func (m *memory) Close() error                            { return nil }
func (m *memory) flush() error                            { return nil }
