package flow_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"latchkey/pam/enrollment"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/record"
	"latchkey/pam/testroot"
	"latchkey/pam/twilio/protocol"
)

// guesser types at random at logins of alice's, while Twilio does anything, and counts the wrong
// codes that were compared with something secret.
type guesser struct {
	*world
	*rand.Rand
	app      bool        // alice also has an app: then every code is compared
	compared []time.Time // wrong codes
	row      int         // of them since the last right one
	longest  int
	inLogin  map[string]bool
	reached  bool // Twilio has compared the code that is being judged
}

// FAULTS 34 and 22: no matter what is typed and what Twilio does, no more codes are compared
// within a window, nor in a row, than the limits say.
func TestNothingThatTwilioDoesExceedsTheLimitOnComparedCodes(t *testing.T) {
	t.Parallel()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	for round := range uint64(40) {
		g := newGuesser(t, rand.New(rand.NewPCG(seed, round)))
		failures, consecutive := 2+g.IntN(6), 3+g.IntN(12)
		g.root.Policy(t, fmt.Sprintf(
			"[limits]\ntries = %d\nfailures = \"%d/10m\"\nlock = \"15m\"\nconsecutive = %d\n",
			1+g.IntN(6), failures, consecutive))
		for range 25 {
			g.oneLogin()
			g.now = g.now.Add(time.Duration(g.IntN(400)) * time.Second)
		}
		for i := failures; i < len(g.compared); i++ {
			if within := g.compared[i].Sub(g.compared[i-failures]); within < 10*time.Minute {
				t.Fatalf("seed %d, round %d: %d codes were compared within %v; the limit is %d",
					seed, round, failures+1, within, failures)
			}
		}
		if g.longest > consecutive {
			t.Fatalf("seed %d, round %d: %d codes were compared in a row; the limit is %d", seed,
				round, g.longest, consecutive)
		}
	}
}

func newGuesser(t *testing.T, random *rand.Rand) *guesser {
	g := &guesser{Rand: random, app: random.IntN(3) > 0}
	devices := []record.Device{enrollment.NewPhone("mobile", number, testroot.Noon)}
	if app := testroot.TOTP("app"); g.app {
		devices = append(devices, app)
	}
	g.world = newPhoneWorld(t, "", devices...)
	if g.app {
		g.phone = devices[1]
	}
	g.twilio.check = g.answer
	return g
}

// answer is Twilio's to a check: it may be anything. An approval is not tried: then the code was
// right.
func (g *guesser) answer(string) protocol.Answer {
	results := []protocol.Result{
		protocol.Wrong, protocol.Wrong, protocol.Gone, protocol.TooManyChecks, protocol.Timeout,
		protocol.Failed,
		protocol.Unreachable, protocol.Unreachable, protocol.Certificate, protocol.Refused,
	}
	a := answer(results[g.IntN(len(results))])
	if !a.NothingSent() {
		g.reached = true
	}
	return a
}

func (g *guesser) oneLogin() {
	g.inLogin = map[string]bool{}
	user := &randomUser{g: g}
	o := flow.Flow{
		Root: string(g.root), Authority: g.authority(crowd), Clock: g.clock,
		Talk: user,
	}.Run(request())
	user.judged(o.Reason == verdict.Locked)
	if o.Allow {
		g.row = 0
	}
}

// randomUser types at random, and notes after each answer whether it was compared.
type randomUser struct {
	g     *guesser
	typed string // the wrong code that is being judged
}

func (u *randomUser) Ask(string) (string, error) {
	u.judged(false)
	g := u.g
	switch n := g.IntN(12); {
	case n == 0:
		return "", flow.ErrConversation
	case n == 1:
		return "", flow.ErrPassword
	case n < 4:
		return "sms", nil
	case n == 4 && g.app:
		return g.code(), nil
	}
	code := testroot.WrongCodes(g.t, 6, g.now, g.phone)[g.IntN(6)]
	if !g.inLogin[code] {
		u.typed, g.reached = code, false
	}
	return code, nil
}

// judged counts the wrong code typed before, unless it was not compared.
func (u *randomUser) judged(locked bool) {
	g := u.g
	if u.typed == "" {
		return
	}
	if !locked && (g.app || g.reached) {
		g.inLogin[u.typed] = true
		g.compared, g.row = append(g.compared, g.now), g.row+1
		g.longest = max(g.longest, g.row)
	}
	u.typed = ""
}

func (u *randomUser) Tell(string) error            { return nil }
func (u *randomUser) TellLater(string) error       { return nil }
func (u *randomUser) InGroup(string) (bool, error) { return false, nil }
