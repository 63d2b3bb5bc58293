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
	for name, c := range map[string]struct {
		proven    func(*record.Record) error
		before    []record.Device
		meanwhile func(factor.Keyring) error
		want      error
	}{
		"the password, and still nobody has enrolled": {stillUnenrolled, nil, nil, nil},
		"the password, and the owner enrolls": {stillUnenrolled, nil,
			func(k factor.Keyring) error { return k.Add(alice.name, alice.uid, phone, 0) }, errMeanwhile},
		"a code, and its device is still there": {stillHas(phone.ID), []record.Device{phone, tablet}, nil, nil},
		"a code, and the owner removes its device": {stillHas(phone.ID), []record.Device{phone, tablet},
			func(k factor.Keyring) error { return k.Remove(alice.name, alice.uid, "phone") }, errMeanwhile},
		"a code, and root resets": {stillHas(phone.ID), []record.Device{phone},
			func(k factor.Keyring) error { return k.Reset(alice.name) }, errMeanwhile},
		"a code, and the owner enrolls anew": {stillHas(phone.ID), []record.Device{phone}, func(k factor.Keyring) error {
			return errors.Join(k.Reset(alice.name), k.Add(alice.name, alice.uid, tablet, 0))
		}, errMeanwhile},
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
			proven := k
			proven.Still = c.proven
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
