package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"testing"
	"time"

	"latchkey/enroll/setuid"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// What was proven before a prompt is not true for ever: a thief who knows the password may leave enroll waiting there.
func TestAChangeIsRefusedIfWhatWasProvenIsNoLongerTrue(t *testing.T) {
	device := func(label string) record.Device {
		return factor.NewTOTP(label, factor.NewSecret("SHA1"), "SHA1", 6, 30*time.Second, time.Now())
	}
	phone, tablet, thiefs := device("phone"), device("tablet"), device("thief's")
	alice := identity{User: record.User{Name: "alice", UID: 1000}}
	byPassword := func(*record.Record) func(*record.Record) error { return stillUnenrolled }
	by := func(m factor.Match) func(*record.Record) func(*record.Record) error {
		return func(r *record.Record) func(*record.Record) error { return stillThere(r, m) }
	}
	again := func(d ...record.Device) func(factor.Keyring) error {
		return func(k factor.Keyring) error {
			err := k.Reset(alice.Name)
			for _, d := range d {
				err = errors.Join(err, k.Add(alice.User, d, 0))
			}
			return err
		}
	}
	newCodes := func(k factor.Keyring) error {
		_, set, err := factor.NewRecovery()
		return errors.Join(err, k.SetRecovery(alice.User, set))
	}
	ofPhone, ofCodes, ofRoot := factor.Match{Device: &phone}, factor.Match{Method: method.Recovery}, factor.Match{Method: method.Bypass}
	for name, c := range map[string]struct {
		proven    func(*record.Record) func(*record.Record) error
		before    []record.Device
		meanwhile func(factor.Keyring) error
		took      time.Duration
		want      error
	}{
		"the password, and still nobody has enrolled": {byPassword, nil, nil, time.Minute, nil},
		"the password, and the owner enrolls": {byPassword, nil,
			func(k factor.Keyring) error { return k.Add(alice.User, phone, 0) }, 0, errMeanwhile},
		"the password, long ago":                       {byPassword, nil, nil, time.Hour, factor.ErrProof},
		"a code, and its device is still there":        {by(ofPhone), []record.Device{phone, tablet}, nil, 0, nil},
		"a code, long ago":                             {by(ofPhone), []record.Device{phone, tablet}, nil, time.Hour, factor.ErrProof},
		"a code, and the owner removes its device":     {by(ofPhone), []record.Device{phone, tablet}, func(k factor.Keyring) error { return k.Remove(alice.User, "phone") }, 0, errMeanwhile},
		"a code, and root resets":                      {by(ofPhone), []record.Device{phone}, again(), 0, errMeanwhile},
		"a code, and the owner enrolls anew":           {by(ofPhone), []record.Device{phone}, again(tablet), 0, errMeanwhile},
		"a code, and the same app is enrolled anew":    {by(ofPhone), []record.Device{phone}, again(phone), 0, errMeanwhile},
		"a recovery code":                              {by(ofCodes), []record.Device{phone, tablet}, nil, 0, nil},
		"a recovery code, and there are new ones":      {by(ofCodes), []record.Device{phone, tablet}, newCodes, 0, errMeanwhile},
		"a code of root's":                             {by(ofRoot), []record.Device{phone, tablet}, newCodes, 0, nil},
		"a code of root's, and the owner enrolls anew": {by(ofRoot), []record.Device{phone}, again(tablet), 0, errMeanwhile},
		"a code of root's, and the owner is reset":     {by(ofRoot), []record.Device{phone}, again(), 0, errMeanwhile},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := makeRoot(root); err != nil {
				t.Fatal(err)
			}
			k := factor.NewKeyring(root, safefile.Patience{Limit: lockWait})
			for _, d := range c.before {
				if err := k.Add(alice.User, d, 0); err != nil {
					t.Fatal(err)
				}
			}
			before, _, err := k.View(alice.User)
			if err != nil && !errors.Is(err, factor.ErrUnenrolled) {
				t.Fatal(err)
			}
			now := time.Now()
			proven := k
			proven.Still = factor.Lasting(now, func() time.Time { return now }, c.proven(before))
			now = now.Add(c.took)
			if c.meanwhile != nil {
				if err := c.meanwhile(k); err != nil {
					t.Fatal(err)
				}
			}
			if err := newProgram(setuid.Privilege{}, root).save(proven, alice, thiefs, 0); !errors.Is(err, c.want) {
				t.Errorf("adding: %v, want %v", err, c.want)
			}
			r, _, err := k.View(alice.User)
			if err == nil && (r.Find("thief's") != nil) != (c.want == nil) {
				t.Errorf("the devices are %v", r.Devices)
			}
			if err := proven.Remove(alice.User, "tablet"); c.want != nil && err == nil {
				t.Error("removing was not refused")
			}
		})
	}
}

// slow is a user at a keyboard who thinks for an hour before each line.
type slow struct {
	lines []string
	now   *time.Time
}

func (s *slow) Read(b []byte) (int, error) {
	if len(s.lines) == 0 {
		return 0, io.EOF
	}
	*s.now = s.now.Add(time.Hour)
	line := s.lines[0]
	s.lines = s.lines[1:]
	return copy(b, line+"\n"), nil
}

// A program left waiting at the prompt for a code outlives a change of the password.
func TestWhatIsProvenLongAfterThePasswordGivesNoRightToAChange(t *testing.T) {
	root := t.TempDir()
	if err := makeRoot(root); err != nil {
		t.Fatal(err)
	}
	nobody := identity{User: record.User{Name: "nobody", UID: 65534}}
	now := time.Now()
	k := factor.NewKeyring(root, safefile.Patience{Limit: lockWait})
	ticket, g, err := factor.NewGrant(now.Add(3 * time.Hour))
	if err != nil || k.SetTicket(nobody.User, g) != nil {
		t.Fatal(err)
	}
	proofs := func(line string) factor.Keyring {
		p := newProgram(setuid.Privilege{}, root)
		p.uid, p.Out, p.In = 65534, io.Discard, bufio.NewReader(&slow{[]string{line}, &now})
		p.clock, p.password = func() time.Time { return now }, func(string) error { return nil }
		proven, err := p.prove(nobody)
		if err != nil {
			t.Fatal(err)
		}
		return proven
	}
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	must(os.WriteFile(root+"/etc/latchkey/latchkey.toml", []byte("enroll_ticket = true\n"), 0o644))
	mine := factor.NewTOTP("mine", factor.NewSecret("SHA1"), "SHA1", 6, 30*time.Second, now)
	if err := proofs(ticket).Add(nobody.User, mine, 0); !errors.Is(err, factor.ErrProof) {
		t.Errorf("a ticket an hour after the password: %v", err)
	}
	must(k.Add(nobody.User, mine, 0))
	codes, set, err := factor.NewRecovery()
	must(err)
	must(k.SetRecovery(nobody.User, set))
	if err := proofs(codes[0]).SetRecovery(nobody.User, record.Recovery{}); !errors.Is(err, factor.ErrProof) {
		t.Errorf("a recovery code an hour after the password: %v", err)
	}
}
