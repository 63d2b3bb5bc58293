package flow_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
)

// keyHistory is what happens to alice in a random order: keys come and go, the policy changes, she
// is locked and unlocked, time passes.
type keyHistory struct {
	*world
	*rand.Rand
	keys     []record.Device // that there are at all
	enrolled []record.Device // alice's keys
	methods  []string        // of the only rule; nil: it has none
	require  string
	attested bool
	locked   time.Time // until then
}

func (h *keyHistory) step() {
	switch h.IntN(6) {
	case 0:
		h.enrollOrRemove()
	case 1:
		h.changePolicy()
	case 2:
		h.wrongCodes()
	case 3:
		testroot.Must(h.t, h.unlock())
	case 4:
		h.now = h.now.Add(time.Duration(h.IntN(1200)) * time.Second)
	}
}

func (h *keyHistory) enrollOrRemove() {
	key := h.keys[h.IntN(len(h.keys))]
	is := func(d record.Device) bool { return d.ID == key.ID }
	alice := record.User{Name: "alice", UID: uid}
	if i := slices.IndexFunc(h.enrolled, is); i >= 0 {
		testroot.Must(h.t, h.root.Store().Remove(enrollment.ByRoot(), alice, key.Label))
		h.enrolled = slices.Delete(h.enrolled, i, i+1)
		return
	}
	key.Attested = h.IntN(2) == 0
	testroot.Must(h.t, h.root.Store().Add(enrollment.ByRoot(), alice, key, 0))
	h.enrolled = append(h.enrolled, key)
}

func (h *keyHistory) changePolicy() {
	h.attested = h.IntN(3) == 0
	h.require = []string{"code", "code", "code", "none", "deny"}[h.IntN(5)]
	h.methods = nil
	text := fmt.Sprintf(
		"require_attestation = %v\n[limits]\ntries = 4\nfailures = \"4/10m\"\nlock = \"15m\"\n"+
			"consecutive = 0\n"+
			"[[rule]]\nrequire = %q\n", h.attested, h.require)
	if h.require == "code" && h.IntN(2) == 0 {
		h.methods = [][]string{{"totp"}, {"totp", "key"}, {"key", "recovery"}}[h.IntN(3)]
		text += fmt.Sprintf("methods = [\"%s\"]\n", strings.Join(h.methods, "\", \""))
	}
	h.root.Policy(h.t, text)
}

// wrongCodes locks alice if they are compared.
func (h *keyHistory) wrongCodes() {
	if h.require != "code" || h.methods != nil && !slices.Contains(h.methods, "totp") ||
		h.isLocked() {
		return
	}
	h.login(request(), h.wrongs(4)...)
	h.locked = h.now.Truncate(time.Second).Add(15 * time.Minute)
}

func (h *keyHistory) isLocked() bool { return h.locked.After(h.now) }

func (h *keyHistory) unlock() error {
	limits := limit.Guesses{Failures: limit.Rate{Count: 4, Window: 10 * time.Minute},
		Lock: 15 * time.Minute}
	h.locked = time.Time{}
	_, err := h.root.Store().Unlock(enrollment.ByRoot(), record.User{Name: "alice", UID: uid},
		limits, h.now)
	return err
}

// attempt is a login for which sshd has accepted some keys, and says whether they are enough now.
func (h *keyHistory) attempt() (r flow.Request, enough bool) {
	r = request()
	r.Service = []string{"sshd", "sshd-internal", "su", "other"}[h.IntN(4)]
	r.BySSHD = h.IntN(6) > 0
	for range 1 + h.IntN(2) {
		d := h.keys[h.IntN(len(h.keys))]
		line, _ := strings.CutPrefix(testroot.Line(h.t, d), "sk-ssh-ed25519@openssh.com ")
		good := true
		switch h.IntN(6) {
		case 0:
			r.AuthInfo += "publickey " + testroot.CertificateLine(h.t, d, h.Uint64()) + "\n"
		case 1:
			r.AuthInfo, good = r.AuthInfo+"publickey "+testroot.PlainKey(h.t, d.Label)+"\n", false
		case 2:
			r.AuthInfo, good = r.AuthInfo+"publickey ssh-ed25519 "+line+"\n", false
		case 3:
			r.AuthInfo, good = r.AuthInfo+"hostbased sk-ssh-ed25519@openssh.com "+line+"\n", false
		default:
			r.AuthInfo += "publickey sk-ssh-ed25519@openssh.com " + line + "\n"
		}
		mine := func(e record.Device) bool { return e.ID == d.ID && (e.Attested || !h.attested) }
		enough = enough || good && slices.ContainsFunc(h.enrolled, mine)
	}
	enough = enough && r.BySSHD && h.require == "code" && !h.isLocked() &&
		(h.methods == nil || slices.Contains(h.methods, "key"))
	return r, enough
}

func TestOverRandomHistoriesAKeyIsEnoughExactlyWhenTheRuleOfTheMomentSaysSo(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	allowed, refused := 0, 0
	for round := range uint64(30) {
		h := &keyHistory{world: newWorld(t, ""), Rand: rand.New(rand.NewPCG(seed, round))}
		for i := range 4 {
			h.keys = append(h.keys, testroot.SecurityKey(t, fmt.Sprint("key ", i)))
		}
		h.changePolicy()
		for n := range 60 {
			h.step()
			r, enough := h.attempt()
			o := h.outcome(r)
			if byKey := o.Allow && o.Method == "key"; byKey != enough || o.Allow && !byKey &&
				o.Reason != verdict.Exempt {
				t.Fatalf("seed %d, round %d, login %d with %q by sshd %v: got %+v, want let in "+
					"by key: %v (require %s, methods %q, "+
					"attested %v, locked %v)", seed, round, n, r.AuthInfo, r.BySSHD, o, enough,
					h.require, h.methods, h.attested, h.isLocked())
			}
			if enough {
				allowed++
			} else {
				refused++
			}
		}
	}
	if allowed < 50 || refused < 50 {
		t.Errorf("got %d logins that a key is enough for and %d others, want 50 of each", allowed,
			refused)
	}
}

// outcome is a login at which nothing is typed.
func (h *keyHistory) outcome(r flow.Request) verdict.Outcome {
	silent := &user{world: h.world}
	return flow.Flow{
		Root: string(h.root), Authority: h.authority(crowd), Clock: h.clock,
		Talk: silent,
	}.Run(r)
}
