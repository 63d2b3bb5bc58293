package doctor

import (
	"os"
	"strings"
	"testing"

	"latchkey/enroll/attestation"
	"latchkey/enroll/doctor/sshd"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/sshd/softkey"
)

// withKey is a machine on which alice has enrolled a security key.
func withKey(t *testing.T, attested bool, auth string) (Doctor, testroot.Root) {
	t.Helper()
	root := testroot.New(t)
	root.Policy(t, "")
	put(t, string(root), "/etc/pam.d/sshd", auth+"account required pam_unix.so\n", 0o644)
	key := testroot.SecurityKey(t, "yubikey")
	key.Attested = attested
	root.Enroll(t, "alice", 1000, testroot.TOTP("app"), key)
	d := doctorFor(string(root), "sshd")
	d.LookUp = func(name string) (record.User, error) {
		return record.User{Name: name, UID: 1000}, nil
	}
	d.Keyring = root.Keyring()
	return d, root
}

const (
	onlyTheCode = "auth required pam_latchkey.so\n"
	keyOrWord   = "auth [success=1 default=ignore] pam_latchkey.so if_publickey\n" +
		"auth requisite pam_unix.so\n" + onlyTheCode
	wordToo = "auth requisite pam_unix.so\n" + onlyTheCode
)

func TestASecurityKeyThatIsWeakerThanItLooksIsNamed(t *testing.T) {
	const touch = "warning: security keys at PAM service sshd: a user's authorized_keys"
	const alone = "warning: security keys at PAM service sshd: a security key alone is enough"
	for name, c := range map[string]struct {
		auth string
		ways sshd.Service
		want []string
	}{
		"nothing asked of keys": {onlyTheCode, sshd.Service{Name: "sshd", Keyed: true},
			[]string{alone, touch}},
		"a touch": {onlyTheCode,
			sshd.Service{Name: "sshd", Keyed: true, Touch: true}, []string{alone}},
		"a touch, and a key skips": {keyOrWord,
			sshd.Service{Name: "sshd", Keyed: true, Touch: true}, []string{alone}},
		"a touch and the password": {wordToo,
			sshd.Service{Name: "sshd", Keyed: true, Touch: true}, nil},
		"the password alone": {wordToo, sshd.Service{Name: "sshd", Keyed: true},
			[]string{touch}},
		"a touch and a PIN": {onlyTheCode,
			sshd.Service{Name: "sshd", Keyed: true, Touch: true, PIN: true}, nil},
		"no way by a key to it": {onlyTheCode, sshd.Service{Name: "sshd"}, nil},
	} {
		d, _ := withKey(t, true, c.auth)
		r := sshdReport{keyFirst: map[string]bool{}}
		r.note([]sshd.Service{c.ways})
		if got := examined(d.checkKeys(r)); !agree(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
	d, root := withKey(t, true, onlyTheCode)
	root.Enroll(t, "alice", 1000, testroot.TOTP("app"))
	r := sshdReport{keyFirst: map[string]bool{}}
	r.note([]sshd.Service{{Name: "sshd", Keyed: true}})
	if got := examined(d.checkKeys(r)); len(got) > 0 {
		t.Errorf("got %q where no one has a security key, want nothing", got)
	}
}

func TestAttestationsThatThePolicyWantsAndThatAreMissingAreNamed(t *testing.T) {
	maker, err := softkey.NewMaker(testroot.Noon, nil)
	testroot.Must(t, err)
	const noMaker = "error: " + attestation.Dir + ": no maker's certificate is in"
	const bare = "warning: /etc/latchkey/latchkey.toml: require_attestation: security keys " +
		"that no maker attests " +
		"are not accepted, of alice"
	for name, c := range map[string]struct {
		attested, wanted, maker bool
		want                    []string
	}{
		"not wanted":                   {false, false, false, nil},
		"wanted, and nothing is there": {false, true, false, []string{noMaker, bare}},
		"wanted, of no maker":          {true, true, false, []string{noMaker}},
		"wanted, and not there":        {false, true, true, []string{bare}},
		"wanted and there":             {true, true, true, nil},
	} {
		d, root := withKey(t, c.attested, wordToo)
		if c.wanted {
			root.Policy(t, "require_attestation = true\n")
		}
		if c.maker {
			testroot.Must(t, os.MkdirAll(root.Join(attestation.Dir), 0o755))
			put(t, string(root), attestation.Dir+"/a.pem", string(maker.Root), 0o644)
		}
		if got := examined(d.checkKeys(sshdReport{})); !agree(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

func TestKeysThatNoMakerAttestsAreMentionedAsNoFault(t *testing.T) {
	d, _ := withKey(t, false, wordToo)
	found := d.checkKeys(sshdReport{})
	if len(found) != 1 || found[0].Status != OK || !strings.Contains(found[0].Detail, "of alice") {
		t.Errorf("got %v, want one finding that is no fault and names alice", found)
	}
}
