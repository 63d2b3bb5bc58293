package enrollment_test

import (
	"errors"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/testroot"
)

// A thief who has a password, or a code of a stolen device, may leave enroll waiting at a prompt.
func TestProofByADeviceOrCodeThatIsGoneGivesNoRight(t *testing.T) {
	accepted := func(m factor.Match) factor.Match { m.Result = factor.Accepted; return m }
	tablet := testroot.TOTP("tablet")
	ofTablet := accepted(factor.Match{Device: &tablet})
	ofCodes := accepted(factor.Match{Method: method.Recovery})
	ofRoot := accepted(factor.Match{Method: method.Bypass})
	newCodes := func(s enrollment.Store) error {
		return s.SetRecovery(enrollment.ByRoot(), alice, codes())
	}
	again := func(s enrollment.Store) error {
		err := s.Reset(enrollment.ByRoot(), alice.Name)
		return errors.Join(err, s.Add(enrollment.ByRoot(), alice, tablet, 0))
	}
	removed := func(s enrollment.Store) error {
		return s.Remove(enrollment.ByRoot(), alice, "tablet")
	}
	for name, c := range map[string]struct {
		m         factor.Match
		meanwhile func(enrollment.Store) error
		want      error
	}{
		"a code, and new recovery codes":           {ofTablet, newCodes, nil},
		"a code, and its device is removed":        {ofTablet, removed, enrollment.ErrMeanwhile},
		"a code, and the device is enrolled again": {ofTablet, again, enrollment.ErrMeanwhile},
		"a recovery code, and new ones":            {ofCodes, newCodes, enrollment.ErrMeanwhile},
		"a recovery code, and a device goes":       {ofCodes, removed, nil},
		"a code of root's, and a device goes":      {ofRoot, removed, nil},
		"a code of root's, and a new enrollment":   {ofRoot, again, enrollment.ErrMeanwhile},
	} {
		t.Run(name, func(t *testing.T) {
			root, of := host(t)
			p := enrollment.ByCode(noon, at(noon), of, c.m)
			testroot.Must(t, c.meanwhile(root.Store()))
			if c.want != nil {
				refused(t, root, "Add", p, c.want)
			} else if err := changes["Add"](root.Store(), p); err != nil {
				t.Errorf("got error %v, want none", err)
			}
		})
	}
}

func TestTicketThatEndedMeanwhileEnrollsNoOne(t *testing.T) {
	root, _ := host(t)
	code, g := testroot.OneTimeCode(t, noon.Add(time.Hour))
	testroot.Must(t, root.Store().SetTicket(enrollment.ByRoot(), bob, g))
	_, found, err := root.Store().VerifyTicket(bob, code, noon.Add(50*time.Minute), three)
	testroot.Must(t, err)
	began, late := noon.Add(50*time.Minute), noon.Add(time.Hour)
	ended := enrollment.ByTicket(bob, began, at(late), found)
	refused(t, root, "Enroll", ended, enrollment.ErrTicket)
	inTime := enrollment.ByTicket(bob, began, at(late.Add(-time.Second)), found)
	if err := changes["Enroll"](root.Store(), inTime); err != nil {
		t.Errorf("in time: got error %v, want none", err)
	}
}
