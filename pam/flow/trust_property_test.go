package flow_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor/oath"
	"latchkey/pam/flow"
	"latchkey/pam/limit"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/testroot"
)

// trustHistory is what happens to alice in a random order: she trusts computers, the policy
// changes, devices come and go, she is locked and unlocked, and the clock goes forward and back.
type trustHistory struct {
	*world
	*rand.Rand
	token  record.Device
	rule   terms
	given  []grant   // that nothing has ended
	latest time.Time // that a login has seen
}

// terms are what the policy says of every login of alice's.
type terms struct {
	require, methods, bind string
	days                   int
}

// grant is a trust that a login has given.
type grant struct {
	terms
	service, key, network string // what the computer had
	since                 time.Time
}

// renews reports whether g was given to the same as old, which is then no longer there.
func (g grant) renews(old grant) bool {
	if g.bind != old.bind || g.service != old.service {
		return false
	}
	return (g.bind == "'address'" || g.key == old.key) &&
		(g.bind == "'key'" || g.network == old.network)
}

// locked reports whether alice is locked, and that is not what is tested here.
func (h *trustHistory) locked() bool {
	locked := h.state().Locked
	return !locked.IsZero() && h.now.Before(locked.Add(15*time.Minute))
}

// place is a computer and the service that it logs in by.
type place struct {
	service, key, network string
}

func (h *trustHistory) anywhere() place {
	return place{
		[]string{"sshd", "sshd", "other"}[h.IntN(3)], []string{"", "\x01", "\x02"}[h.IntN(3)],
		[]string{"", "192.0.2.7", "2001:db8:1:2::", "host.example"}[h.IntN(4)],
	}
}

// often is a place that was trusted once, or any.
func (h *trustHistory) often() place {
	if len(h.given) == 0 || h.IntN(3) == 0 {
		return h.anywhere()
	}
	g := h.given[h.IntN(len(h.given))]
	return place{g.service, g.key, g.network}
}

// request is a login from there; of a network in IPv6 from any of its addresses.
func (h *trustHistory) request(p place) flow.Request {
	from := p.network
	if strings.HasSuffix(from, "::") {
		from += fmt.Sprintf("%x", 1+h.IntN(9))
	}
	r := byKey(from, []byte(p.key)...)
	r.Service = p.service
	return r
}

// recognized reports whether what g was given to is this place, by all that the rule binds it to.
func (g grant) recognized(p place) bool {
	byKey := !strings.Contains(g.bind, "key") || g.key != "" && g.key == p.key
	byAddress := !strings.Contains(g.bind, "address") ||
		g.network != "" && g.network != "host.example" && g.network == p.network
	return byKey && byAddress && g.service == p.service
}

// allows reports whether a login from there may be let in by trust now.
func (h *trustHistory) allows(p place) bool {
	if h.rule.require != "code" || h.rule.days == 0 || h.locked() ||
		h.now.Before(h.latest.Add(-5*time.Minute)) {
		return false
	}
	return slices.ContainsFunc(h.given, func(g grant) bool {
		end := g.since.Add(time.Duration(g.days) * 24 * time.Hour)
		return g.terms == h.rule && g.recognized(p) && h.now.Before(end)
	})
}

// sees notes that a login has judged a code, or was trusted, at this time.
func (h *trustHistory) sees(code bool) {
	if code && h.now.Before(h.latest.Add(-5*time.Minute)) {
		h.given, h.latest = nil, h.now
	}
	if h.now.After(h.latest) {
		h.latest = h.now
	}
}

func (h *trustHistory) changePolicy() {
	h.rule = terms{"code", "", []string{"'key'", "'address'", "'key', 'address'"}[h.IntN(3)],
		[]int{0, 7, 30, 30}[h.IntN(4)]}
	text := fmt.Sprintf("[limits]\nfailures = \"4/10m\"\ntries = 4\nconsecutive = 0\n[trust]\n"+
		"days = %d\nbind = [%s]\n", h.rule.days, h.rule.bind)
	switch h.IntN(8) {
	case 0:
		h.rule.require = "none"
	case 1:
		h.rule.require = "deny"
	case 2, 3:
		h.rule.methods = "methods = ['hotp']\n"
	}
	h.root.Policy(h.t, fmt.Sprintf("%s[[rule]]\nrequire = %q\n%s", text, h.rule.require,
		h.rule.methods))
}

// code is what the token shows next.
func (h *trustHistory) code() string {
	code, err := oath.Code(&h.token, h.state().Device(h.token.ID).Counter)
	testroot.Must(h.t, err)
	return code
}

// logIn logs in by a code where one is asked for, and says yes to every question.
func (h *trustHistory) logIn() {
	p := h.anywhere()
	if h.rule.require != "code" || h.locked() || h.allows(p) {
		return
	}
	user := &yes{code: h.code()}
	o := flow.Flow{
		Root: string(h.root), Authority: h.authority(crowd), Clock: h.clock,
		Talk: user,
	}.Run(h.request(p))
	if !o.Allow || o.Method != "hotp" {
		h.t.Fatalf("a right code came to %+v", o)
	}
	h.sees(true)
	if h.rule.days == 0 && p.network != "" {
		h.given = nil
	}
	if user.asked {
		g := grant{h.rule, p.service, p.key, p.network, h.now}
		h.given = append(slices.DeleteFunc(h.given, g.renews), g)
	}
}

// yes is a user who types one code, and answers other questions with yes.
type yes struct {
	code  string
	asked bool
}

func (u *yes) Ask(prompt string) (string, error) {
	if strings.HasPrefix(prompt, "Trust this computer") {
		u.asked = true
		return "y", nil
	}
	return u.code, nil
}

func (u *yes) Tell(string) error            { return nil }
func (u *yes) TellLater(string) error       { return nil }
func (u *yes) InGroup(string) (bool, error) { return false, nil }

func (h *trustHistory) step() {
	alice, root := record.User{Name: "alice", UID: uid}, enrollment.ByRoot()
	switch h.IntN(18) {
	case 0, 1, 2, 3, 4:
		h.logIn()
	case 5:
		h.changePolicy()
	case 6:
		if h.rule.require == "code" && !h.locked() {
			h.login(byKey("198.51.100.99"), testroot.WrongCodes(h.t, 4, h.now, h.phone)...)
			h.sees(true)
			h.given = nil
		}
	case 7:
		limits := limit.Guesses{Failures: limit.Rate{Count: 4, Window: 10 * time.Minute},
			Lock: 15 * time.Minute}
		_, err := h.root.Store().Unlock(root, alice, limits, h.now)
		testroot.Must(h.t, err)
	case 8:
		second := testroot.TOTP("second")
		testroot.Must(h.t, h.root.Store().Add(root, alice, second, 0))
		if h.IntN(4) == 0 {
			h.given = nil
		}
		testroot.Must(h.t, h.root.Store().Remove(root, alice, "second"))
		h.given = nil
	case 9:
		_, err := h.root.Store().Distrust(root, alice, func(state.Trust) bool { return true })
		testroot.Must(h.t, err)
		h.given = nil
	case 10, 11:
		h.now = h.now.Add(time.Duration(h.IntN(10*24)) * time.Hour)
	case 12:
		h.now = h.now.Add(time.Duration(h.IntN(300)) * time.Second)
	case 13:
		h.now = h.now.Add(-time.Duration(h.IntN(20*24)) * time.Hour)
	}
}

func TestOverRandomHistoriesNoLoginIsTrustedThatTheRuleOfTheMomentDoesNotAllow(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	trusted, asked := 0, 0
	for round := range uint64(20) {
		h := &trustHistory{world: newWorld(t, ""), Rand: rand.New(rand.NewPCG(seed, round))}
		h.token = enrollment.NewHOTP("token", []byte("12345678901234567890"), "SHA1", 6, h.now)
		h.root.Enroll(t, "alice", uid, h.token)
		h.changePolicy()
		for n := range 60 {
			h.step()
			p := h.often()
			allowed := h.allows(p)
			o := flow.Flow{
				Root: string(h.root), Authority: h.authority(crowd), Clock: h.clock, Talk: silent{},
			}.Run(h.request(p))
			if byTrust := o.Allow && o.Method == "trust"; byTrust != allowed || o.Allow &&
				!byTrust && h.rule.require != "none" {
				t.Fatalf("seed %d, round %d, login %d from %+v at %v: got %+v, want trusted: "+
					"%v under %+v (given %+v, latest %v, locked %v)",
					seed, round, n, p, h.now, o, allowed, h.rule, h.given, h.latest, h.locked())
			}
			if allowed {
				trusted++
				h.sees(false)
			} else {
				asked++
			}
		}
	}
	if trusted < 50 || asked < 50 {
		t.Errorf("got %d trusted logins and %d others, want 50 of each", trusted, asked)
	}
}

// silent is a user who says nothing.
type silent struct{}

func (silent) Ask(string) (string, error)   { return "", flow.ErrConversation }
func (silent) Tell(string) error            { return nil }
func (silent) TellLater(string) error       { return nil }
func (silent) InGroup(string) (bool, error) { return false, nil }
