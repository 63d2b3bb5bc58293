package authority

import (
	"errors"
	"time"

	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
)

// Send is a user's wish for a code.
type Send struct {
	Login
	To      state.DeviceID
	Channel method.Method // SMS or Call
	Phone   policy.Phone  // the policy's limits, prefixes and language
	// AtOnce: the user was told to try a call in place of an SMS that was refused, and need not
	// wait for it.
	AtOnce bool
}

// Sent is what became of it. The zero Sent is not sent.
type Sent struct {
	OK       bool          // a code is on its way
	Wait     time.Duration // until one may be sent
	Landline bool          // the phone takes no SMS
	Because  string        // none was sent, for the log
	// Lost, with an error: a code was sent, but this could not be noted, so it cannot be used.
	Lost bool
}

// Send implements Authority. Everything that can refuse a code here is asked before any network,
// and the send is reserved before it happens: even if it then fails, no one can run up more sends
// than the limits allow.
func (l *Local) Send(s Send) (Sent, error) {
	if err := l.Verifier.Ready(); err != nil {
		return Sent{Because: err.Error()}, nil
	}
	r, err := l.Reserve(s)
	if err != nil || !r.OK() {
		return r.Sent, err
	}
	return l.Keep(r, r.Ask(l.Verifier))
}

// Reserved is a send that is reserved.
type Reserved struct {
	Sent
	send   Send
	at     time.Time
	number string
}

// OK reports whether the code can be sent; else Sent says why not.
func (r Reserved) OK() bool { return r.number != "" }

// Ask has Twilio send the code. No account may be open meanwhile.
func (r Reserved) Ask(v Verifier) protocol.Answer {
	return v.Send(r.number, r.send.Channel, r.send.Phone.Locale)
}

// Reserve is the first step of Send.
func (l *Local) Reserve(s Send) (Reserved, error) {
	s.Login = l.bound(s.Login)
	if !s.allows(s.Channel) || !s.Channel.Sent() {
		return Reserved{Sent: Sent{Because: "codes may not be sent like this"}}, nil
	}
	account, err := l.Keyring.Open(s.User)
	if err != nil {
		return Reserved{}, err
	}
	defer account.Close()
	r := Reserved{send: s, at: l.Clock()}
	phone := account.Device(s.To)
	if phone != nil && !l.mayBeSent(s, phone) {
		r.Because = "the number has none of the prefixes allowed in latchkey.toml"
		return r, nil
	}
	r.Wait, err = account.ReserveSend(l.Keyring, s.To, l.sends(s), r.at)
	switch {
	case errors.Is(err, factor.ErrNotYet):
		r.Because = err.Error()
		return r, nil
	case err != nil:
		return Reserved{}, err
	}
	r.number = string(phone.Secret)
	return r, nil
}

// mayBeSent reports whether codes may be sent to a number.
func (l *Local) mayBeSent(s Send, phone *record.Device) bool {
	number := string(phone.Secret)
	return s.Phone.Allows(number) && (l.Policy == nil || l.Policy.Phone.Allows(number))
}

// Keep is the last step of Send: it notes what Twilio has sent.
func (l *Local) Keep(r Reserved, a protocol.Answer) (Sent, error) {
	if a.Result != protocol.Sent {
		return Sent{Because: a.Because(), Landline: a.Result == protocol.Landline}, nil
	}
	pending := state.Pending{Device: r.send.To, At: r.at, Voice: r.send.Channel == method.Call,
		SID: a.SID}
	if err := l.Keyring.KeepPending(r.send.User, pending); err != nil {
		return Sent{Lost: true}, err
	}
	return Sent{OK: true}, nil
}
