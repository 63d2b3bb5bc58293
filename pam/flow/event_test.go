package flow_test

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

const notify = "[notify]\nprogram = \"/opt/tell\"\n"

// hears demands what the program of [notify] was told of the last login, at that time.
func (w *world) hears(want ...string) {
	w.t.Helper()
	for i, text := range want {
		want[i] = "/opt/tell " + w.now.UTC().Format(time.RFC3339) + " " + text
	}
	if !slices.Equal(w.told, want) {
		w.t.Errorf("the program was told %q, want %q", w.told, want)
	}
}

// settled is a world whose program has heard of alice's network.
func settled(t *testing.T, policy string) *world {
	t.Helper()
	w := newWorld(t, notify+policy)
	w.login(request(), w.code())
	w.hears("new-network 192.0.2.0/24")
	w.now = w.now.Add(time.Hour)
	return w
}

func TestProgramHearsOfLoginFromEachNewNetworkOnce(t *testing.T) {
	w := settled(t, "")
	for _, c := range []struct{ from, told string }{
		{"192.0.2.7", ""},
		{"192.0.2.200", ""},
		{"::ffff:192.0.2.8", ""},
		{"192.0.3.7", "new-network 192.0.3.0/24"},
		{"192.0.3.8", ""},
		{"2001:db8:1:2::7", "new-network 2001:db8:1:2::/64"},
		{"2001:db8:1:2:ffff::", ""},
		{"2001:db8:1:3::7", "new-network 2001:db8:1:3::/64"},
		{"192.0.2.7", ""},
		{"", ""},
		{"host.example.com", ""},
	} {
		r := request()
		r.From = c.from
		w.login(r, w.code())
		if c.told == "" {
			w.hears()
		} else {
			w.hears(c.told)
		}
		w.now = w.now.Add(time.Hour)
	}
}

// A network is new if the user was let in from it, not if someone else tried.
func TestNetworkOfRefusedLoginIsStillNew(t *testing.T) {
	w := settled(t, "")
	r := request()
	r.From = "198.51.100.9"
	w.login(r, w.wrong(), noMore)
	w.hears()
	w.login(r, w.code())
	w.hears("new-network 198.51.100.0/24")
}

func TestProgramHearsOfLockOnceAndOfNextLogin(t *testing.T) {
	w := settled(t, "[limits]\nfailures = \"2/10m\"\n")
	codes := w.wrongs(2)
	w.login(request(), codes[0], noMore)
	w.hears()
	w.login(request(), codes[1])
	w.hears("lock until 2027-01-31T13:15:15Z")
	w.login(request())
	w.hears() // it is locked already
	w.now = w.now.Add(time.Hour)
	w.login(request(), w.code())
	w.hears("login-after-lock ")
	w.now = w.now.Add(time.Hour)
	w.login(request(), w.code())
	w.hears()
}

// A wrong code after the lock has ended does not make it forgotten.
func TestLoginAfterLockAndMistakeIsStillToldOf(t *testing.T) {
	w := settled(t, "[limits]\nfailures = \"2/10m\"\n")
	w.login(request(), w.wrongs(2)...)
	w.now = w.now.Add(time.Hour)
	w.login(request(), w.wrong(), w.code())
	w.hears("login-after-lock ")
}

func TestLoginAfterRootEndedLockIsToldOf(t *testing.T) {
	w := settled(t, "[limits]\nfailures = \"2/10m\"\n")
	w.login(request(), w.wrongs(2)...)
	_, err := w.root.Store().Unlock(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		limits, w.now)
	testroot.Must(t, err)
	w.login(request(), w.code())
	w.hears("login-after-lock ")
}

func TestProgramHearsOfLockUntilRoot(t *testing.T) {
	w := settled(t, "[limits]\nconsecutive = 2\n")
	w.login(request(), w.wrongs(2)...)
	w.hears("lock until root unlocks it")
}

func TestProgramHearsOfBypass(t *testing.T) {
	w := settled(t, "")
	w.login(request(), w.bypass())
	w.hears("bypass-used ")
}

func TestProgramHearsOfPhoneCodeFromNewNetwork(t *testing.T) {
	w := newPhoneWorld(t, notify)
	w.login(request(), "sms", sentCode)
	w.hears("new-network 192.0.2.0/24")
}

func TestWithoutProgramNothingIsTold(t *testing.T) {
	w := newWorld(t, "[limits]\nfailures = \"1/10m\"\n")
	w.login(request(), w.wrong())
	w.hears()
	w.now = w.now.Add(time.Hour)
	if o := w.login(request(), w.code()); o.Reason != verdict.OK {
		t.Errorf("the login came to %+v", o)
	}
	w.hears()
}

func TestLoginByKeyIsAnAcceptedAttemptFromItsNetwork(t *testing.T) {
	w, own, _ := withKey(t, notify)
	r := accepted(testroot.Line(t, own))
	w.byKey(w.login(r), "yubikey")
	w.hears("new-network 192.0.2.0/24")
	w.byKey(w.login(r), "yubikey")
	w.hears()
	got := w.state().Accepted
	if got.Method != "key" || got.Device != own.ID || got.Service != "sshd" ||
		got.From != netip.MustParseAddr("192.0.2.7") {
		t.Errorf("the last accepted attempt is %+v", got)
	}
}

func TestProgramHearsOfTrustAndOfTrustedLoginElsewhere(t *testing.T) {
	w := newWorld(t, trustKey+notify)
	w.login(home(), w.code(), "n")
	w.hears("new-network 192.0.2.0/24")
	w.now = w.now.Add(time.Minute)
	w.login(home(), w.code(), "y")
	w.hears("trust-given for 30 days")
	elsewhere := home()
	elsewhere.From = "198.51.100.9"
	w.trusted(elsewhere)
	w.hears("new-network 198.51.100.0/24")
	w.trusted(elsewhere)
	w.hears()
	if got := w.state().Accepted; got.Method != "trust" ||
		got.From != netip.MustParseAddr("198.51.100.9") {
		t.Errorf("the last accepted attempt is %+v", got)
	}
}
