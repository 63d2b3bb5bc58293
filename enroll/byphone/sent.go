package byphone

import (
	"fmt"
	"slices"
	"time"

	"latchkey/enroll/hint"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
)

// proof is what a code sent to a phone proves: that a phone of the user's is at hand, or that a
// new number is the user's. Its methods run as root.
type proof interface {
	// reserve reserves one send, before it happens.
	reserve(limit.Sends) (wait time.Duration, err error)
	// keep keeps what is needed of a send that happened.
	keep(sid string, channel method.Method) error
	// judge charges a code that was typed, before Twilio is asked about it, and says what came of
	// it. Only an outcome that allows is a proof; one without a reason was not judged.
	judge(code, sid string) (verdict.Outcome, error)
}

// sentCode is one proof under way.
type sentCode struct {
	Prover
	proof   proof
	refused []string // what was typed and is wrong
}

// obtain sends a code and has it typed. Every code that is refused is a line in the log.
func (c *sentCode) obtain() error {
	sid, channel, err := c.send()
	if err != nil {
		return err
	}
	prompt := fmt.Sprintf("A code is on its way to %s. Verification code: ", c.Phone.Hint())
	for range tries {
		answer, err := c.Ask(prompt)
		if err != nil {
			return err
		}
		prompt = "That code was not accepted. Verification code: "
		began := c.Clock()
		o, err := c.answered(answer, sid)
		if o.Allow {
			return err
		}
		if o.Reason != "" {
			o.Method, o.Device = string(channel), c.Phone.Label
			c.Refused(o, began)
		}
		if err != nil {
			return err
		}
	}
	return hint.Error("no correct code; nothing was changed", "start again for a new one")
}

// answered judges an answer, unless it is no code or was refused before, which costs nothing
// again.
func (c *sentCode) answered(answer, sid string) (o verdict.Outcome, err error) {
	code, possible := normalize.SentCode(answer)
	switch {
	case !possible || c.Spared(answer):
		return verdict.Outcome{Reason: verdict.Wrong, Detail: "not a code"}, nil
	case slices.Contains(c.refused, code):
		return verdict.Outcome{Reason: verdict.Wrong, Detail: "the same wrong code again"}, nil
	}
	c.refused = append(c.refused, code)
	err = c.AsRoot(func() error {
		o, err = c.proof.judge(code, sid)
		return err
	})
	return o, err
}

// send has a code sent, by a call if the number takes no SMS. Sends count against the same
// limits as at logins, so that no one rings strangers by enrolling them.
func (c *sentCode) send() (sid string, channel method.Method, err error) {
	phone := c.Rules.Phone
	if !phone.Allows(string(c.Phone.Secret)) {
		return "", "", ErrCountry
	}
	channel = method.Method(phone.Methods[0])
	limits := limit.Sends{
		User: phone.Sends.User, Host: phone.Sends.Host,
	}
	a, err := c.sendBy(channel, limits)
	if a.Result == protocol.Landline && slices.Contains(phone.Methods, method.Call) {
		limits.AtOnce, channel = true, method.Call
		a, err = c.sendBy(channel, limits)
	}
	if err == nil && a.Result != protocol.Sent {
		err = notReached("no code could be sent", a)
	}
	return a.SID, channel, err
}

// sendBy reserves a send and has it sent; settings that cannot be used are told before anything
// counts.
func (c *sentCode) sendBy(channel method.Method, limits limit.Sends) (
	a protocol.Answer, err error) {
	err = c.AsRoot(func() error {
		twilio := c.Twilio()
		if err := twilio.Ready(); err != nil {
			return notSendable(err)
		}
		if wait, err := c.proof.reserve(limits); err != nil {
			return notBooked(wait, err)
		}
		a = twilio.Send(string(c.Phone.Secret), channel, c.Rules.Phone.Locale)
		if a.Result != protocol.Sent {
			return nil
		}
		return c.proof.keep(a.SID, channel)
	})
	return a, err
}
