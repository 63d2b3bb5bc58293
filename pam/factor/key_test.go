package factor_test

import (
	"errors"
	"net/netip"
	"testing"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/sshkey"
	"latchkey/pam/testroot"
)

// withKey is alice with an app and a security key, and what sshd presents of that key.
func withKey(t *testing.T, attested bool) (testroot.Root, factor.Presented) {
	t.Helper()
	root := testroot.New(t)
	d := testroot.SecurityKey(t, "yubikey")
	d.Attested = attested
	root.Enroll(t, "alice", uid, testroot.TOTP("phone"))
	testroot.Must(t, root.Store().Add(enrollment.ByRoot(), record.User{Name: "alice", UID: uid}, d,
		0))
	key, err := d.SSHKey()
	testroot.Must(t, err)
	return root, factor.Presented{
		Keys: []sshkey.Key{key}, At: noon, Service: "sshd", From: netip.MustParseAddr("192.0.2.7")}
}

func TestEnrolledKeyThatSSHDAcceptedIsAcceptedAndNoted(t *testing.T) {
	root, p := withKey(t, false)
	account := open(t, root)
	m, err := account.UseKey(p, three)
	if m.Result != factor.Accepted || m.Method != method.Key || m.Device.Label != "yubikey" ||
		!m.NewNetwork || err != nil {
		t.Errorf("got %+v, %v; want the key accepted, from a new network", m, err)
	}
	account.Close()
	st := onDisk(t, root)
	if !st.Device(m.Device.ID).Used.Equal(noon) || st.Accepted.Method != method.Key {
		t.Errorf("got %+v on the disk, want the key's use", st)
	}
}

func TestEveryOtherKeyIsNotAccepted(t *testing.T) {
	root, p := withKey(t, false)
	stranger := testroot.SecurityKey(t, "other")
	other, err := stranger.SSHKey()
	testroot.Must(t, err)
	for name, p := range map[string]factor.Presented{
		"no key":             {At: noon},
		"another key":        {At: noon, Keys: []sshkey.Key{other}},
		"a key not attested": {At: noon, Keys: p.Keys, OnlyAttested: true},
	} {
		account := open(t, root)
		if m, err := account.UseKey(p, three); m.Result != factor.Wrong || m.Device != nil ||
			err != nil {
			t.Errorf("%s: got %+v, %v; want nothing accepted", name, m, err)
		}
		account.Close()
	}
	root, p = withKey(t, true)
	p.OnlyAttested = true
	if m, err := open(t, root).UseKey(p, three); m.Result != factor.Accepted || err != nil {
		t.Errorf("an attested key: got %+v, %v; want it accepted", m, err)
	}
}

func TestKeyIsNoWayPastALockOrAStateThatDoesNotKnowIt(t *testing.T) {
	root, p := withKey(t, false)
	for _, code := range []string{"000001", "000002", "000003"} {
		try(t, root, code, noon)
	}
	account := open(t, root)
	if m, err := account.UseKey(p, three); m.Result != factor.Locked || !m.Lockout.Locked() ||
		err != nil {
		t.Errorf("locked: got %+v, %v; want it locked", m, err)
	}
	account.Close()
	root, p = withKey(t, false)
	account = open(t, root)
	account.State.Devices = account.State.Devices[:1]
	if m, err := account.UseKey(p, three); m.Result == factor.Accepted ||
		!errors.Is(err, factor.ErrState) {
		t.Errorf("unknown to the state: got %+v, %v; want %v", m, err, factor.ErrState)
	}
}
