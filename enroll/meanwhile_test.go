package main

import (
	"bufio"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"latchkey/enroll/setuid"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// What was proven before a prompt does not stay true forever: a thief who knows the password may
// leave enroll waiting there.
func TestAChangeIsRefusedIfWhatWasProvenIsNoLongerTrue(t *testing.T) {
	device := func(label string) record.Device {
		return enrollment.NewTOTP(label, enrollment.NewSecret("SHA1"), "SHA1", 6, 30*time.Second,
			time.Now())
	}
	phone, tablet, thiefs := device("phone"), device("tablet"), device("thief's")
	alice := identity{User: record.User{Name: "alice", UID: 1000}}
	now := time.Now()
	clock := func() time.Time { return now }
	byPassword := func(*record.Record) enrollment.Proof {
		return enrollment.ByPassword(alice.User, now, clock)
	}
	by := func(m factor.Match) func(*record.Record) enrollment.Proof {
		m.Result = factor.Accepted
		return func(r *record.Record) enrollment.Proof {
			return enrollment.ByCode(now, clock, r, m)
		}
	}
	again := func(d ...record.Device) func(enrollment.Store) error {
		return func(k enrollment.Store) error {
			err := k.Reset(enrollment.ByRoot(), alice.Name)
			for _, d := range d {
				err = errors.Join(err, k.Add(enrollment.ByRoot(), alice.User, d, 0))
			}
			return err
		}
	}
	newCodes := func(k enrollment.Store) error {
		_, set, err := enrollment.NewRecovery()
		return errors.Join(err, k.SetRecovery(enrollment.ByRoot(), alice.User, set))
	}
	ofPhone, ofCodes, ofRoot := factor.Match{Device: &phone},
		factor.Match{Method: method.Recovery}, factor.Match{Method: method.Bypass}
	for name, c := range map[string]struct {
		proven    func(*record.Record) enrollment.Proof
		before    []record.Device
		meanwhile func(enrollment.Store) error
		took      time.Duration
		want      error
	}{
		"the password, and still no one has enrolled": {byPassword, nil, nil, time.Minute, nil},
		"the password, and the owner enrolls": {byPassword, nil,
			func(k enrollment.Store) error {
				return k.Add(enrollment.ByRoot(), alice.User, phone, 0)
			}, 0, enrollment.ErrMeanwhile},
		"the password, long ago": {byPassword, nil, nil, time.Hour,
			enrollment.ErrProof},
		"a code, and its device is still there": {by(ofPhone),
			[]record.Device{phone, tablet}, nil, 0, nil},
		"a code, long ago": {by(ofPhone),
			[]record.Device{phone, tablet}, nil, time.Hour, enrollment.ErrProof},
		"a code, and the owner removes its device": {by(ofPhone),
			[]record.Device{phone, tablet}, func(k enrollment.Store) error {
				return k.Remove(enrollment.ByRoot(), alice.User, "phone")
			}, 0, enrollment.ErrMeanwhile},
		"a code, and root resets": {by(ofPhone), []record.Device{phone},
			again(), 0, enrollment.ErrMeanwhile},
		"a code, and the owner enrolls again": {by(ofPhone), []record.Device{phone},
			again(tablet), 0, enrollment.ErrMeanwhile},
		"a code, and the same app is enrolled again": {by(ofPhone), []record.Device{phone},
			again(phone), 0, enrollment.ErrMeanwhile},
		"a recovery code": {by(ofCodes),
			[]record.Device{phone, tablet}, nil, 0, nil},
		"a recovery code, and there are new ones": {by(ofCodes),
			[]record.Device{phone, tablet}, newCodes, 0, enrollment.ErrMeanwhile},
		"a code of root's": {by(ofRoot),
			[]record.Device{phone, tablet}, newCodes, 0, nil},
		"a code of root's, and the owner enrolls again": {by(ofRoot), []record.Device{phone},
			again(tablet), 0, enrollment.ErrMeanwhile},
		"a code of root's, and the owner is reset": {by(ofRoot), []record.Device{phone},
			again(), 0, enrollment.ErrMeanwhile},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := makeRoot(root); err != nil {
				t.Fatal(err)
			}
			k := enrollment.Store{Keyring: factor.NewKeyring(root,
				safefile.Patience{Limit: lockWait})}
			for _, d := range c.before {
				if err := k.Add(enrollment.ByRoot(), alice.User, d, 0); err != nil {
					t.Fatal(err)
				}
			}
			before, _, err := k.View(alice.User)
			if err != nil && !errors.Is(err, factor.ErrUnenrolled) {
				t.Fatal(err)
			}
			proven := c.proven(before)
			now = now.Add(c.took)
			if c.meanwhile != nil {
				if err := c.meanwhile(k); err != nil {
					t.Fatal(err)
				}
			}
			if err := newProgram(setuid.Privilege{}, root).save(proven, alice, thiefs,
				0); !errors.Is(err, c.want) {
				t.Errorf("adding: %v, want %v", err, c.want)
			}
			r, _, err := k.View(alice.User)
			if err == nil && (r.Find("thief's") != nil) != (c.want == nil) {
				t.Errorf("the devices are %v", r.Devices)
			}
			if err := k.Remove(proven, alice.User, "tablet"); c.want != nil && err == nil {
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
	k := enrollment.Store{Keyring: factor.NewKeyring(root, safefile.Patience{Limit: lockWait})}
	ticket, g, err := enrollment.NewOneTimeCode(now.Add(3 * time.Hour))
	if err != nil || k.SetTicket(enrollment.ByRoot(), nobody.User, g) != nil {
		t.Fatal(err)
	}
	proofs := func(line string) enrollment.Proof {
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
	mine := enrollment.NewTOTP("mine", enrollment.NewSecret("SHA1"), "SHA1", 6, 30*time.Second,
		now)
	if err := k.Add(proofs(ticket), nobody.User, mine, 0); !errors.Is(err, enrollment.ErrProof) {
		t.Errorf("a ticket an hour after the password: %v", err)
	}
	must(k.Add(enrollment.ByRoot(), nobody.User, mine, 0))
	codes, set, err := enrollment.NewRecovery()
	must(err)
	must(k.SetRecovery(enrollment.ByRoot(), nobody.User, set))
	if err := k.SetRecovery(proofs(codes[0]), nobody.User, record.Recovery{}); !errors.Is(err,
		enrollment.ErrProof) {
		t.Errorf("a recovery code an hour after the password: %v", err)
	}
}

// meanwhile is a file that is read only after something has happened.
type meanwhile struct {
	io.Reader
	happens func()
}

func (m *meanwhile) Read(b []byte) (int, error) {
	if m.happens != nil {
		m.happens()
		m.happens = nil
	}
	return m.Reader.Read(b)
}

// Two scripts may run the same command at once: each of them finds a device, and one made it.
func TestIfMissingCountsADeviceThatAnotherProcessAddedMeanwhile(t *testing.T) {
	const changed, unchanged = `"changed": true`, `"changed": false`
	for name, c := range map[string]struct {
		have, other, args []string
		want              string
	}{
		"the first device": {nil, []string{"totp"}, []string{"totp", "--json"}, unchanged},
		"the first device, without JSON": {nil, []string{"totp"}, []string{"totp"},
			`root has the device "app" already; nothing was changed`},
		"one more": {[]string{"hotp"}, []string{"totp"}, []string{"totp", "--json"}, unchanged},
		"one with a label": {[]string{"totp"}, []string{"totp", "--label", "x"},
			[]string{"totp", "--json", "--label", "x"}, unchanged},
		"one of another type": {nil, []string{"hotp"}, []string{"totp", "--json"}, changed},
	} {
		t.Run(name, func(t *testing.T) {
			root := t.TempDir()
			if err := makeRoot(root); err != nil {
				t.Fatal(err)
			}
			// Each has a secret of its own, so that only type and label are the same.
			add := func(secret string, before func(), args ...string) (said string) {
				p := newProgram(setuid.Privilege{}, root)
				var out strings.Builder
				p.Out, p.Err = &out, &out
				p.In = bufio.NewReader(&meanwhile{strings.NewReader(secret), before})
				args = append([]string{"add"}, args...)
				if exit := p.run(append(args, "--user", "root", "--if-missing", "--yes",
					"--secret-file", "-")); exit != exitDone {
					t.Errorf("%q: exit %d, %s", args, exit, out.String())
				}
				return out.String()
			}
			if c.have != nil {
				add(strings.Repeat("A", 32), nil, c.have...)
			}
			said := add(strings.Repeat("B", 32), func() {
				add(strings.Repeat("C", 32), nil, c.other...)
			}, c.args...)
			if !strings.Contains(said, c.want) || strings.Contains(said, "otpauth") !=
				(c.want == changed) {
				t.Errorf("got %s, want %s", said, c.want)
			}
		})
	}
}
