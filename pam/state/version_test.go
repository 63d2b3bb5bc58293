package state

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"slices"
	"testing"
	"time"
)

// version2Slot is a slot of version 2, as FORMAT.md of that version says. What version 3 added to
// s must be zero.
func version2Slot(t *testing.T, s *State, change func(b []byte)) []byte {
	t.Helper()
	three := encoded(t, s)
	b := make([]byte, slotSize)
	copy(b, three[:1594])
	for i := range MaxSends {
		copy(b[1656+16*i:], three[1600+12*i:][:12])
	}
	copy(b[2680:3384], three[2368:3072])
	b[9] = 2
	change(b)
	return sealed(b)
}

// version1Slot is a slot of version 1, which was like version 2 but for the one verification that
// it had room for.
func version1Slot(t *testing.T, s *State, verification func(b []byte)) []byte {
	t.Helper()
	return version2Slot(t, s, func(b []byte) {
		b[9] = 1
		verification(b)
	})
}

func withVerification(b []byte) {
	b[1595], b[1596] = 3, 2 // checks, by call
	b[1600] = 9             // the phone
	binary.BigEndian.PutUint64(b[1608:], 1800000000)
	copy(b[1616:], "VE0123456789abcdef0123456789abcdef")
}

// before3 is what version 2 had of full, and before2 what version 1 had.
func before3() *State {
	s := full()
	s.Refused.Told, s.Refused.Locked = 0, false
	s.Trusts, s.Clock, s.Networks = nil, time.Time{}, nil
	s.Accepted, s.Denied = Attempt{}, Attempt{}
	return s
}

func before2() *State {
	s := before3()
	s.Pendings, s.Refused = nil, Refused{}
	return s
}

func unchanged([]byte) {}

func TestSlotOfVersion2IsRead(t *testing.T) {
	for name, s := range map[string]*State{"empty": {}, "full": before3()} {
		got, err := decode(version2Slot(t, s, unchanged))
		if err != nil || !reflect.DeepEqual(got, s) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, s)
		}
	}
}

func TestSlotOfVersion2WithAnythingElseInItIsDamaged(t *testing.T) {
	for name, at := range map[string]int{
		"the first reserved byte of the header":      50,
		"the first byte where version 1 had checks":  1594,
		"the last byte before the sends":             1655,
		"the first reserved byte of the first send":  1656 + 12,
		"the last reserved byte of the last send":    1656 + 63*16 + 15,
		"a reserved byte behind the number refused":  3340,
		"a reserved byte behind the kind of address": 3361,
		"the first reserved byte at the end":         3384,
		"the last reserved byte at the end":          4063,
	} {
		b := version2Slot(t, before3(), func(b []byte) { b[at] = 1 })
		if got, err := decode(b); got != nil || err != errChecksum {
			t.Errorf("%s: got %+v, %v; want damage", name, got, err)
		}
	}
}

func TestSlotOfVersion1IsRead(t *testing.T) {
	s := before2()
	got, err := decode(version1Slot(t, s, unchanged))
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("without a verification: got %+v, %v", got, err)
	}
	got, err = decode(version1Slot(t, s, withVerification))
	s.Pendings = []Pending{{
		Device: DeviceID{9}, At: time.Unix(1800000000, 0), Voice: true,
		SID: "VE0123456789abcdef0123456789abcdef", Checks: 3, Sends: 1,
	}}
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("with a verification: got %+v, %v; want %+v", got, err, s)
	}
}

func TestSlotOfVersion1WithAnythingElseInItIsDamaged(t *testing.T) {
	for name, change := range map[string]func(b []byte){
		"what version 2 added":       func(b []byte) { b[2824+59] = 1 },
		"the last reserved byte":     func(b []byte) { b[4063] = 1 },
		"an unknown channel":         func(b []byte) { withVerification(b); b[1596] = 3 },
		"a byte beside the channel":  func(b []byte) { withVerification(b); b[1597] = 1 },
		"checks and no verification": func(b []byte) { b[1595] = 1 },
	} {
		if got, err := decode(version1Slot(t, before2(), change)); got != nil ||
			err != errChecksum {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

func TestFirstCommitAfterAnUpgradeWritesVersion3AndNothingIsLost(t *testing.T) {
	for name, slot := range map[string][]byte{
		"version 1": version1Slot(t, before2(), withVerification),
		"version 2": version2Slot(t, before3(), unchanged),
	} {
		f, err := parse(bytes.NewReader(slices.Concat(slot, slot)))
		if err != nil {
			t.Fatal(err)
		}
		f.Clock = time.Unix(1800000900, 0)
		want := f.State
		want.sequence++
		d := &memory{b: slices.Concat(slot, slot)}
		f.f = d
		if err := f.Commit(); err != nil {
			t.Fatal(err)
		}
		got, err := parse(bytes.NewReader(d.b))
		if err != nil || d.b[9] != 3 || d.b[slotSize+9] != 3 ||
			!reflect.DeepEqual(got.State, want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, want)
		}
	}
}

// A slot that was written when the program that writes the newer version was killed stands beside
// one of the older version.
func TestOfSlotsOfTwoVersionsTheYoungerCounts(t *testing.T) {
	old, young := &State{UID: 4, sequence: 4}, &State{UID: 5, sequence: 5}
	for _, file := range [][]byte{
		slices.Concat(version2Slot(t, old, unchanged), encoded(t, young)),
		slices.Concat(encoded(t, young), version1Slot(t, old, unchanged)),
		slices.Concat(version1Slot(t, old, unchanged), version2Slot(t, young, unchanged)),
	} {
		if f, err := parse(bytes.NewReader(file)); err != nil || f.UID != 5 {
			t.Errorf("got %+v, %v; want the younger", f, err)
		}
	}
}
