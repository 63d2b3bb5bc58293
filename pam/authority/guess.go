package authority

import (
	"latchkey/pam/factor"
	"latchkey/pam/method"
)

// Guess is an answer to a prompt for a code.
type Guess struct {
	Login
	Code     string          // as normalize.AnyCode passes it
	Channels []method.Method // by which a code may have been sent: those of Choices
}

// Guessed is what became of a guess.
type Guessed struct {
	Match
	// Charged: the guess counts, although Twilio could not say, or has approved the code before.
	// One that is Wrong, Expired or Void always counts.
	Charged bool
	Left    int // with Accepted: recovery codes
	// If the guess matched nothing: what became of the code that was sent last.
	SentVoid, SentExpired bool
	// Drift is by how many seconds the user's app is fast, or, less than 0, slow; 0: not known, or
	// not to be told.
	Drift   int64
	Damage  string // what is wrong with the state, for the log
	Because string // with Unchecked: why, for the log
}

// Guess implements Authority.
func (l *Local) Guess(g Guess) (Guessed, error) {
	c, err := l.Compare(g)
	if err != nil || !c.AsksTwilio() {
		return c.Guessed, err
	}
	return l.Settle(c, c.Ask(l.Verifier))
}

// Compared is a guess that was compared with what is known here.
type Compared struct {
	Guessed
	guess Guess
	match factor.Match
}

// AsksTwilio reports whether Twilio must say what became of the guess. Until then it is charged.
func (c Compared) AsksTwilio() bool { return c.match.Result == factor.AskTwilio }

// Ask asks Twilio. No account may be open meanwhile.
func (c Compared) Ask(v Verifier) Asked { return AskTwilio(v, c.match, c.guess.Code) }

// Compare is the first step of Guess: the account is open in it, and Twilio is not asked.
func (l *Local) Compare(g Guess) (c Compared, err error) {
	g.Login, g.Channels = l.bound(g.Login), l.reachable(g.Channels)
	account, err := l.Keyring.Open(g.User)
	if err != nil {
		return c, err
	}
	defer account.Close()
	c = Compared{Guessed: Guessed{Damage: account.State.Damage}, guess: g}
	guess := factor.Guess{
		Code: g.Code, At: l.Clock(), Service: g.Service, From: g.From, Accepts: g.allows,
		AcceptsSent: acceptsSent(g.Channels),
	}
	if c.match, err = account.Verify(guess, g.Limits); err != nil {
		return c, err
	}
	c.Match = matchOf(c.match)
	switch c.match.Result {
	case factor.Accepted:
		c.Left = account.RecoveryLeft()
	case factor.Wrong, factor.Impossible:
		_, standing := account.LatestSent(guess.At, guess.AcceptsSent)
		c.SentVoid, c.SentExpired = standing == factor.Exhausted, standing == factor.Outlived
	}
	if c.match.Result == factor.Wrong || c.AsksTwilio() {
		l.drifts = append(l.drifts, account.Drifts(guess)...)
		c.Drift = factor.Known(l.drifts)
	}
	return c, nil
}

// Settle is the last step of Guess: it notes what Twilio said. Only here does a code from a phone
// let anyone in.
func (l *Local) Settle(c Compared, a Asked) (Guessed, error) {
	g := c.Guessed
	g.Result, g.Method, g.Device = "", Channel(a.Check.Pending), shown(&a.Check.Phone)
	if err := a.Note(l.Keyring, c.guess.User, c.match, c.guess.Limits, l.Clock()); err != nil {
		return g, err
	}
	g.Result, g.Charged = a.result()
	if g.Result == Unchecked {
		g.Because = a.Answer.Because()
	}
	return g, nil
}
