package node

import (
	"encoding/base64"
	"fmt"
	"os"
	"testing"
	"time"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/fleet/secret"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/testroot"
)

func TestMedianOfTheOthersIsTheOneNearerToZeroOfTwo(t *testing.T) {
	for _, c := range []struct {
		offs []time.Duration
		want time.Duration
	}{
		{nil, 0}, {[]time.Duration{7}, 7}, {[]time.Duration{60, 1}, 1},
		{[]time.Duration{-60, -1}, -1}, {[]time.Duration{60, 61}, 60},
		{[]time.Duration{-60, 60}, 60}, {[]time.Duration{60, 1, 2}, 2},
		{[]time.Duration{-60, -50, 1, 90}, 1},
	} {
		if got := median(c.offs); got != c.want {
			t.Errorf("%v: got %v, want %v", c.offs, got, c.want)
		}
	}
}

func TestServiceThatIsNoLongerThereSaysNothingAboutClocks(t *testing.T) {
	p := peers{seen: map[string]seen{}}
	now := testroot.Noon
	old := Peer{Number: "1", At: now.Add(-time.Hour)}
	p.observe(map[string]Peer{"mfa2": old}, now)
	if wire.FaultOf(p.judge()) != wire.Clock {
		t.Error("it cannot be known yet whether it is there: got no refusal")
	}
	s := p.seen["mfa2"]
	s.since = s.since.Add(-2 * quiet)
	p.seen["mfa2"] = s
	p.observe(map[string]Peer{"mfa2": old}, now)
	if err := p.judge(); err != nil || p.live != 0 {
		t.Errorf("after a while: got %v, %d there", err, p.live)
	}
	p.observe(map[string]Peer{"mfa2": {Number: "2", At: now.Add(-time.Hour)}}, now)
	if wire.FaultOf(p.judge()) != wire.Clock {
		t.Error("it renewed its number: got no refusal")
	}
	p.observe(map[string]Peer{}, now)
	if err := p.judge(); err != nil {
		t.Errorf("it was removed: got %v", err)
	}
}

// What etcd did not answer for some seconds is seen late, or was written late.
func TestOneNumberThatCameLateIsNoWrongClock(t *testing.T) {
	p := peers{seen: map[string]seen{}}
	now := testroot.Noon
	observe := func(number string, ago time.Duration) error {
		p.observe(map[string]Peer{"mfa2": {Number: number, At: now.Add(-ago)}}, now)
		return p.judge()
	}
	for number, ago := range []time.Duration{time.Second, 9 * time.Second, time.Second} {
		if err := observe(fmt.Sprint(number), ago); err != nil {
			t.Errorf("a number of %v ago: got %v", ago, err)
		}
	}
	observe("slow", time.Minute)
	for _, number := range []string{"slower", "slower"} {
		if wire.FaultOf(observe(number, time.Minute)) != wire.Clock {
			t.Error("two numbers of a minute ago: got no refusal")
		}
	}
}

func TestMemoryIsReadAsItWasWrittenAndRefusedIfDamaged(t *testing.T) {
	dir := t.TempDir()
	testroot.Must(t, os.Chmod(dir, 0o700))
	want := memory{Epoch: 3, Registered: true, Last: "a", Next: "b", Revision: 9}
	if got, err := readMemory(dir); err != nil || got != (memory{}) {
		t.Errorf("without a file: got %+v, %v", got, err)
	}
	testroot.Must(t, want.write(dir))
	if got, err := readMemory(dir); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	testroot.Write(t, dir+"/"+memoryFile, []byte("{"))
	if got, err := readMemory(dir); err == nil {
		t.Errorf("damaged: got %+v", got)
	}
	testroot.Must(t, os.Chmod(dir+"/"+memoryFile, 0o644))
	if got, err := readMemory(dir); err == nil {
		t.Errorf("readable by others: got %+v", got)
	}
}

func TestSigningKeysOnTheDiskAreReadOnlyWithTheSecret(t *testing.T) {
	dir := t.TempDir()
	testroot.Must(t, os.Chmod(dir, 0o700))
	key := secret.New()
	n := &Node{Config: Config{Dir: dir, Secret: key}}
	seed := NewSeed()
	var err error
	n.signing, err = parseSigning([]byte(`{"current":"` + encode(seed) + `"}`))
	testroot.Must(t, err)
	testroot.Must(t, n.writeSigning())
	got, err := readSigning(dir, key)
	want := fleetkey.SigningFrom([32]byte(seed)).Public()
	if err != nil || !got.set || !got.key.Public().Equal(want) {
		t.Errorf("got %+v, %v", got, err)
	}
	if got, err := readSigning(dir, secret.New()); err != nil || got.set {
		t.Errorf("with another secret: got %+v, %v; want none", got, err)
	}
}

func encode(seed []byte) string { return base64.StdEncoding.EncodeToString(seed) }
