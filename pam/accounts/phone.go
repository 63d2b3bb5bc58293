package accounts

import (
	"errors"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/record"
	"latchkey/pam/state"
	"latchkey/pam/twilio/protocol"
)

// Phone is where a code is sent: to prove that a phone of the user's is at hand, or that a number
// is the user's.
type Phone struct {
	User   record.User
	Device state.DeviceID // one that the user has; zero: Number is meant
	Number string         // one that the user says is theirs, in E.164
}

// Sending is a wish for a code.
type Sending struct {
	Phone
	Channel method.Method // SMS or Call
	Policy  policy.Phone  // of this host; in a fleet, the fleet's counts
	Limits  limit.Guesses // likewise
	AtOnce  bool          // a call in place of an SMS that the number does not take
}

// Sent is what became of it.
type Sent struct {
	Unready string          `json:"unready,omitempty"` // why no code can be sent at all
	Answer  protocol.Answer `json:"answer,omitzero"`   // Twilio's
	Wait    time.Duration   `json:"wait,omitempty"`    // with an error that matches ErrNotYet
}

// ErrCountry refuses a number with a prefix that the policy does not allow.
var ErrCountry = errors.New("no codes are sent to numbers of this country")

// Answered is a code that was typed after it was sent.
type Answered struct {
	Phone
	Code   string
	SID    string    // of a claimed number: Twilio's name for the verification, which Send gave
	Began  time.Time // when the user gave the password
	Limits limit.Guesses
}

// Judged is what became of the code. Only Accepted proves anything.
type Judged struct {
	Match    factor.Match // Result is AskTwilio where Twilio has not accepted the code
	Answer   protocol.Answer
	Free     bool            // the code was compared with nothing and is not charged
	Standing factor.Standing // without Twilio: of the code that was sent last
	Enough   bool            // another code for this number is of no use
	Proof    enrollment.Proof
}

// once runs do on the accounts: what it does there happens at once or not at all. A service of a
// fleet may run it again.
func (l Local) once(do func(s enrollment.Store) error) error {
	if l.Once == nil {
		return do(l.Store)
	}
	return l.Once(do)
}

// Send reserves a send and has it sent; settings that cannot be used are told before anything
// counts.
func (l Local) Send(s Sending) (sent Sent, err error) {
	twilio := l.Twilio()
	if err := twilio.Ready(); err != nil {
		return Sent{Unready: err.Error()}, nil
	}
	number, wait, err := l.reserve(s)
	if err != nil {
		return Sent{Wait: wait}, err
	}
	sent.Answer = twilio.Send(number, s.Channel, s.Policy.Locale)
	if sent.Answer.Result != protocol.Sent || s.Number != "" {
		return sent, nil // of a claimed number the code is of no use but here
	}
	pending := state.Pending{Device: s.Device, At: l.Clock(), Voice: s.Channel == method.Call,
		SID: sent.Answer.SID}
	return sent, l.once(func(k enrollment.Store) error {
		return k.KeepPending(s.User, pending)
	})
}

// reserve reserves a send, unless the user is locked: then the code would be no use.
func (l Local) reserve(s Sending) (number string, wait time.Duration, err error) {
	sends := limit.Sends{User: s.Policy.Sends.User, Host: s.Policy.Sends.Host, AtOnce: s.AtOnce}
	err = l.once(func(k enrollment.Store) (err error) {
		if number = s.Number; number == "" {
			if number, err = l.ownNumber(k, s); err != nil {
				return err
			}
		}
		switch {
		case !s.Policy.Allows(number):
			return ErrCountry
		case s.Number != "":
			claim := enrollment.Claim{User: s.User, Number: s.Number}
			wait, err = k.ReserveClaim(claim, sends, s.Limits, l.Clock())
		default:
			wait, err = k.ReserveSend(s.User, s.Device, sends, l.Clock())
		}
		return err
	})
	return number, wait, err
}

// ownNumber is the number of a phone of the user's.
func (l Local) ownNumber(k enrollment.Store, s Sending) (string, error) {
	account, err := k.Open(s.User)
	if err != nil {
		return "", err
	}
	defer account.Close()
	lockout, err := account.Lockout(l.Clock(), s.Limits)
	phone := account.Device(s.Device)
	switch {
	case err != nil:
		return "", err
	case lockout.Locked():
		return "", enrollment.ErrLocked
	case phone == nil || phone.Type != method.Phone:
		return "", enrollment.ErrMeanwhile
	}
	return string(phone.Secret), nil
}

// Judge charges a code that was typed, before Twilio is asked about it, and says what came of it.
func (l Local) Judge(a Answered) (Judged, error) {
	if a.Number != "" {
		return l.judgeClaim(a)
	}
	return l.judgeOwn(a)
}

// judgeOwn judges a code that was sent to a phone of the user's. It is charged and compared as at
// a login, and is of the same verification as a login's.
func (l Local) judgeOwn(a Answered) (j Judged, err error) {
	var with *record.Record
	err = l.once(func(k enrollment.Store) (err error) {
		j, with, err = l.verifySent(k, a)
		return err
	})
	if err != nil {
		return Judged{}, err
	}
	if j.Match.Result == factor.AskTwilio {
		asked := authority.AskTwilio(l.Twilio(), j.Match, a.Code)
		err = l.once(func(k enrollment.Store) error {
			return asked.Note(k.Keyring, a.User, j.Match, a.Limits, l.Clock())
		})
		if j.Answer, j.Free = asked.Answer, asked.Free; err != nil {
			return Judged{}, err
		}
		if asked.Result == factor.Accepted {
			j.Match.Result = factor.Accepted
		}
	}
	if j.Match.Result == factor.Accepted {
		by := factor.Match{Result: factor.Accepted, Method: method.Phone, Device: phoneOf(with, a)}
		j.Proof = enrollment.ByCode(a.Began, l.Clock, with, by)
	}
	return j, nil
}

// verifySent charges a code as a login does, and says how the verification stands. Codes of other
// phones prove nothing here: it is this phone that the change is then made with.
func (l Local) verifySent(k enrollment.Store, a Answered) (
	j Judged, with *record.Record, err error) {
	account, err := k.Open(a.User)
	if err != nil {
		return j, nil, err
	}
	defer account.Close()
	if with = account.Record; phoneOf(with, a) == nil {
		return j, nil, enrollment.ErrMeanwhile
	}
	toPhone := func(p state.Pending) bool { return p.Device == a.Device }
	_, j.Standing = account.LatestSent(l.Clock(), toPhone)
	guess := factor.Guess{Code: a.Code, At: l.Clock(), Service: service, AcceptsSent: toPhone}
	j.Match, err = account.Verify(guess, a.Limits)
	return j, with, err
}

func phoneOf(r *record.Record, a Answered) *record.Device {
	for i := range r.Devices {
		if d := &r.Devices[i]; d.ID == a.Device && d.Type == method.Phone {
			return d
		}
	}
	return nil
}

// judgeClaim judges a code that was sent to a number which is to become the user's. Wrong codes
// are charged to the user; and of the number's verification at Twilio, which may be another user's
// login, a claim uses up no more than its bounds.
func (l Local) judgeClaim(a Answered) (j Judged, err error) {
	claim := enrollment.Claim{User: a.User, Number: a.Number}
	var checked enrollment.ClaimCheck
	err = l.once(func(k enrollment.Store) (err error) {
		checked, err = k.CheckClaim(claim, a.Limits, l.Clock())
		return err
	})
	j.Match.Result, j.Enough = checked.Result, checked.Enough
	if err != nil || checked.Result != factor.AskTwilio {
		return j, err
	}
	j.Answer = l.Twilio().Check(a.Number, a.SID, a.Code)
	if j.Answer.Result != protocol.Approved {
		return j, nil
	}
	err = l.once(func(k enrollment.Store) error { return k.EndClaim(claim, checked, a.Limits) })
	if err == nil {
		j.Match.Result = factor.Accepted
	}
	return j, err
}
