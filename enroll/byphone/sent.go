package byphone

import (
	"fmt"
	"slices"

	"latchkey/enroll/hint"
	"latchkey/pam/accounts"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor/normalize"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/twilio/protocol"
)

// sentCode is one proof under way.
type sentCode struct {
	Prover
	phone accounts.Phone
	// outcome is what came of a code that was judged. Only one that allows is a proof; one without
	// a reason was not judged.
	outcome func(accounts.Judged) (verdict.Outcome, error)
	refused []string         // what was typed and is wrong
	proof   enrollment.Proof // of a phone of the user's
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
		j, err := c.Accounts.Judge(accounts.Answered{Phone: c.phone, Code: code, SID: sid,
			Began: c.Began, Limits: c.limits()})
		if err == nil {
			o, err = c.outcome(j)
			c.proof = j.Proof
		}
		return err
	})
	return o, err
}

// send has a code sent, by a call if the number takes no SMS. Sends count against the same
// limits as at logins, so that no one rings strangers by enrolling them.
func (c *sentCode) send() (sid string, channel method.Method, err error) {
	phone := c.Rules.Phone
	channel = method.Method(phone.Methods[0])
	a, err := c.sendBy(channel, false)
	if a.Result == protocol.Landline && slices.Contains(phone.Methods, method.Call) {
		channel = method.Call
		a, err = c.sendBy(channel, true)
	}
	if err == nil && a.Result != protocol.Sent {
		err = notReached("no code could be sent", a)
	}
	return a.SID, channel, err
}

// sendBy has a code sent; settings that cannot be used are told before anything counts.
func (c *sentCode) sendBy(channel method.Method, atOnce bool) (a protocol.Answer, err error) {
	err = c.AsRoot(func() error {
		sent, err := c.Accounts.Send(accounts.Sending{Phone: c.phone, Channel: channel,
			Policy: c.Rules.Phone, Limits: c.limits(), AtOnce: atOnce})
		if a = sent.Answer; sent.Unready != "" {
			return notSendable(sent.Unready)
		}
		return notBooked(sent.Wait, err)
	})
	return a, err
}
