package oath_test

import (
	"testing"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// token is one whose codes below 300 are all different.
func token(t *testing.T) *record.Device {
	t.Helper()
	d := &record.Device{Type: method.HOTP, Secret: seed(20), Algorithm: "SHA1", Digits: 8}
	seen := map[string]bool{}
	for c := range uint64(300) {
		code, err := oath.Code(d, c)
		testroot.Must(t, err)
		if seen[code] {
			t.Fatalf("the code of counter %d is there twice", c)
		}
		seen[code] = true
	}
	return d
}

func code(t *testing.T, d *record.Device, moving uint64) string {
	t.Helper()
	c, err := oath.Code(d, moving)
	testroot.Must(t, err)
	return c
}

func TestTokenIsLookedForFromTenBehindToAHundredAhead(t *testing.T) {
	d := token(t)
	for _, c := range []struct {
		counter, of, resync uint64
		want                oath.Place
		next, notes         uint64
	}{
		{50, 50, 0, oath.Current, 51, 0},
		{50, 60, 0, oath.Current, 61, 0},
		{50, 61, 0, oath.Nowhere, 62, 62},
		{50, 150, 0, oath.Nowhere, 151, 151},
		{50, 151, 0, oath.Nowhere, 0, 0},
		{50, 62, 62, oath.Current, 63, 62},
		{50, 63, 62, oath.Nowhere, 64, 64},
		{50, 49, 0, oath.Past, 0, 0},
		{50, 40, 7, oath.Past, 0, 7},
		{50, 39, 7, oath.Nowhere, 0, 0},
		{3, 0, 0, oath.Past, 0, 0},
		{0, 0, 0, oath.Current, 1, 0},
		{0, 10, 0, oath.Current, 11, 0},
		{0, 11, 0, oath.Nowhere, 12, 12},
	} {
		used := &state.Device{Counter: c.counter, Resync: c.resync}
		at, next, err := oath.Compare(d, used, code(t, d, c.of), time.Unix(0, 0))
		if at != c.want || next != c.next || err != nil || used.Resync != c.notes {
			t.Errorf("%d at %d, resync %d: got %v, %d, %v, resync %d; want %v, %d, resync %d",
				c.of,
				c.counter, c.resync, at, next, err, used.Resync, c.want, c.next, c.notes)
		}
		if used.Counter != c.counter {
			t.Errorf("%d at %d: got the counter changed to %d", c.of, c.counter, used.Counter)
		}
	}
}

func TestFirstCounterOfACodeIsFoundWithinReach(t *testing.T) {
	d := token(t)
	for of, want := range map[uint64]bool{4: false, 5: true, 15: true, 16: false} {
		got, found, err := oath.FindCounter(d, code(t, d, of), 5, 10)
		if found != want || err != nil || found && got != of {
			t.Errorf("counter %d: got %d, %v, %v; want found %v", of, got, found, err, want)
		}
	}
}

func TestStepIsAcceptedOneToEitherSideAndOnlyAboveTheLast(t *testing.T) {
	d := &record.Device{Type: method.TOTP, Secret: seed(20), Algorithm: "SHA1", Digits: 8,
		Period: 30 * time.Second}
	now := time.Unix(30*100, 0)
	for _, c := range []struct {
		last, of uint64
		want     oath.Place
		counter  uint64
	}{
		{0, 98, oath.Nowhere, 0}, {0, 99, oath.Current, 99}, {0, 100, oath.Current, 100},
		{0, 101, oath.Current, 101}, {0, 102, oath.Nowhere, 0}, {100, 100, oath.Past, 0},
		{100, 99, oath.Past, 0}, {100, 101, oath.Current, 101},
	} {
		at, counter, err := oath.Compare(d, &state.Device{Counter: c.last}, code(t, d, c.of), now)
		if at != c.want || counter != c.counter || err != nil {
			t.Errorf("step %d after %d: got %v, %d, %v; want %v, %d", c.of, c.last, at, counter,
				err,
				c.want, c.counter)
		}
	}
}

func TestConfirmingTellsByHowMuchTheDevicesClockIsWrong(t *testing.T) {
	d := &record.Device{Type: method.TOTP, Secret: seed(20), Algorithm: "SHA1", Digits: 8,
		Period: 30 * time.Second}
	now := time.Unix(30*1000, 0)
	for _, c := range []struct {
		of    uint64
		found bool
		drift int64
	}{
		{999, true, 0}, {1001, true, 0}, {1002, false, 60}, {998, false, -60},
		{1120, false, 3600}, {880, false, -3600}, {1121, false, 0}, {879, false, 0},
	} {
		step, found, drift, err := oath.Confirm(d, code(t, d, c.of), now)
		if found != c.found || drift != c.drift || err != nil || found && step != c.of {
			t.Errorf("step %d: got %d, %v, %d s, %v; want %v, %d s", c.of, step, found, drift, err,
				c.found, c.drift)
		}
	}
}

func TestDeviceOfAnUnknownAlgorithmIsAnErrorEverywhere(t *testing.T) {
	for _, kind := range []method.Method{method.TOTP, method.HOTP} {
		d := &record.Device{Type: kind, Secret: seed(20), Algorithm: "MD5", Digits: 6,
			Period: 30 * time.Second}
		if at, _, err := oath.Compare(d, &state.Device{}, "123456", time.Unix(0, 0)); err == nil ||
			at != oath.Nowhere {
			t.Errorf("%s: got %v, %v; want an error", kind, at, err)
		}
		if _, found, err := oath.FindCounter(d, "123456", 0, 1); err == nil || found {
			t.Errorf("%s: got found %v, %v; want an error", kind, found, err)
		}
		if _, found, _, err := oath.Confirm(d, "123456", time.Unix(0, 0)); err == nil || found {
			t.Errorf("%s: got confirmed %v, %v; want an error", kind, found, err)
		}
	}
}

func TestDistrustedTokenIsAcceptedOnlyWithTwoCodesInARow(t *testing.T) {
	d := token(t)
	used := &state.Device{Counter: 50}
	oath.Distrust(used)
	for _, c := range []struct {
		of   uint64
		want oath.Place
	}{{50, oath.Nowhere}, {50, oath.Nowhere}, {0, oath.Nowhere}, {52, oath.Nowhere},
		{54, oath.Nowhere}, {49, oath.Past}, {70, oath.Nowhere}, {71, oath.Current}} {
		at, next, err := oath.Compare(d, used, code(t, d, c.of), time.Unix(0, 0))
		if at != c.want || err != nil || at == oath.Current && next != c.of+1 {
			t.Errorf("counter %d: got %v, %d, %v; want %v", c.of, at, next, err, c.want)
		}
	}
}

func TestDistrustedTokenThatWasNeverUsedNeedsTwoCodesToo(t *testing.T) {
	d, used := token(t), &state.Device{}
	oath.Distrust(used)
	for of, want := range []oath.Place{oath.Nowhere, oath.Current} {
		at, _, err := oath.Compare(d, used, code(t, d, uint64(of)), time.Unix(0, 0))
		if at != want || err != nil {
			t.Errorf("counter %d: got %v, %v; want %v", of, at, err, want)
		}
	}
}
