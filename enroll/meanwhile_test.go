package main

import (
	"errors"
	"testing"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/record"
	"latchkey/pam/safefile"
)

// What was proven before a prompt is not true for ever: a thief who knows the password may leave enroll waiting there.
func TestAChangeIsRefusedIfWhatWasProvenIsNoLongerTrue(t *testing.T) {
	device := func(label string) record.Device {
		return factor.NewTOTP(label, factor.NewSecret("SHA1"), "SHA1", 6, 30*time.Second, time.Now())
	}
	phone, tablet, thiefs := device("phone"), device("tablet"), device("thief's")
	alice := identity{"alice", 1000}
	byPassword := func(*record.Record) func(*record.Record) error { return stillUnenrolled }
	by := func(m factor.Match) func(*record.Record) func(*record.Record) error {
		return func(r *record.Record) func(*record.Record) error { return stillThere(r, m) }
	}
	again := func(d ...record.Device) func(factor.Keyring) error {
		return func(k factor.Keyring) error {
			err := k.Reset(alice.name)
			for _, d := range d {
				err = errors.Join(err, k.Add(alice.name, alice.uid, d, 0))
			}
			return err
		}
	}
	newCodes := func(k factor.Keyring) error {
		_, set, err := factor.NewRecovery()
		return errors.Join(err, k.SetRecovery(alice.name, alice.uid, set))
	}
	ofPhone, ofCodes, ofRoot := factor.Match{Device: &phone}, factor.Match{Method: record.RecoveryCode}, factor.Match{Method: record.Bypass}
	for name, c := range map[string]struct {
		proven    func(*record.Record) func(*record.Record) error
		before    []record.Device
		meanwhile func(factor.Keyring) error
		took      time.Duration
		want      error
	}{
		"the password, and still nobody has enrolled": {byPassword, nil, nil, time.Minute, nil},
		"the password, and the owner enrolls": {byPassword, nil,
			func(k factor.Keyring) error { return k.Add(alice.name, alice.uid, phone, 0) }, 0, errMeanwhile},
		"the password, long ago":                       {byPassword, nil, nil, time.Hour, factor.ErrProof},
		"a code, and its device is still there":        {by(ofPhone), []record.Device{phone, tablet}, nil, 0, nil},
		"a code, long ago":                             {by(ofPhone), []record.Device{phone, tablet}, nil, time.Hour, factor.ErrProof},
		"a code, and the owner removes its device":     {by(ofPhone), []record.Device{phone, tablet}, func(k factor.Keyring) error { return k.Remove(alice.name, alice.uid, "phone") }, 0, errMeanwhile},
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
				if err := k.Add(alice.name, alice.uid, d, 0); err != nil {
					t.Fatal(err)
				}
			}
			before, _, err := k.View(alice.name, alice.uid)
			if err != nil && !errors.Is(err, factor.ErrUnenrolled) {
				t.Fatal(err)
			}
			now := time.Now()
			proven := k
			proven.Still = factor.Lasting(func() time.Time { return now }, c.proven(before))
			now = now.Add(c.took)
			if c.meanwhile != nil {
				if err := c.meanwhile(k); err != nil {
					t.Fatal(err)
				}
			}
			if err := newProgram(privilege{}, root).save(proven, alice, thiefs, 0); !errors.Is(err, c.want) {
				t.Errorf("adding: %v, want %v", err, c.want)
			}
			r, _, err := k.View(alice.name, alice.uid)
			if err == nil && (r.Find("thief's") != nil) != (c.want == nil) {
				t.Errorf("the devices are %v", r.Devices)
			}
			if err := proven.Remove(alice.name, alice.uid, "tablet"); c.want != nil && err == nil {
				t.Error("removing was not refused")
			}
		})
	}
}
