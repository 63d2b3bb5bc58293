package accounts

import (
	"errors"
	"slices"

	"latchkey/pam/enrollment"
	"latchkey/pam/factor"
	"latchkey/pam/method"
	"latchkey/pam/record"
	"latchkey/pam/state"
)

// AsksTwilio reports whether an operation does: then Serve takes a Local with Once, since it makes
// several changes one after the other.
func AsksTwilio(op string) bool { return op == "enroll.send" || op == "enroll.judge" }

// TookBack reports whether the guess that was charged for a code is not charged any more, because
// Twilio has approved the code or was never asked.
func (a Reply) TookBack() bool {
	return a.Judged.Answer.Result != "" &&
		(a.Judged.Free || a.Match.Result == factor.Accepted)
}

// Send has a code sent by the fleet's service.
func (r Remote) Send(s Sending) (Sent, error) {
	q := s.Phone.question()
	q.Channel, q.AtOnce = s.Channel, s.AtOnce
	a, err := r.ask("enroll.send", s.User, q)
	return a.Sent, err
}

// Judge has the fleet's service charge and compare a code that was typed.
func (r Remote) Judge(an Answered) (Judged, error) {
	q := an.Phone.question()
	q.Code, q.SID, q.Ago = an.Code, an.SID, r.Clock().Sub(an.Began)
	a, err := r.ask("enroll.judge", an.User, q)
	j := Judged{
		Match: a.Match.match(), Answer: a.Judged.Answer, Free: a.Judged.Free,
		Standing: a.Judged.Standing, Enough: a.Judged.Enough,
	}
	if err == nil && j.Match.Result == factor.Accepted && len(a.Sealed) > 0 {
		j.Proof = enrollment.BySealed(a.Sealed)
	}
	return j, err
}

func (p Phone) question() question {
	if p.Number != "" {
		return question{Number: p.Number}
	}
	return question{Phone: &p.Device}
}

// phone is the one that a question is about.
func (s *served) phone() (Phone, error) {
	p := Phone{User: s.user, Number: s.q.Number}
	if (s.q.Number == "") == (s.q.Phone == nil) {
		return p, errEmpty
	}
	if s.q.Phone != nil {
		p.Device = *s.q.Phone
	}
	if p.Number == "" && p.Device == (state.DeviceID{}) {
		return p, errEmpty
	}
	return p, nil
}

// canBeSentTo refuses phones that the fleet's policy lets no code be sent to.
func (s *served) canBeSentTo(devices []record.Device) error {
	for _, d := range devices {
		switch {
		case d.Type != method.Phone:
		case len(s.by.Phone.Methods) == 0:
			return errors.New("phones are switched off in the fleet's policy")
		case !s.by.Phone.Allows(string(d.Secret)):
			return ErrCountry
		}
	}
	return nil
}

func (s *served) send() error {
	p, err := s.phone()
	if err != nil {
		return err
	}
	if !slices.Contains(s.by.Phone.Methods, s.q.Channel) || !s.q.Channel.Sent() {
		s.a.Sent.Unready = "the fleet's policy does not let codes be sent like this"
		return nil
	}
	sent, err := s.on.Send(Sending{Phone: p, Channel: s.q.Channel, Policy: s.by.Phone,
		Limits: s.by.Limits, AtOnce: s.q.AtOnce})
	if s.a.Sent = sent; p.Number == "" {
		s.a.Sent.Answer.SID = "" // the state has it
	}
	return err
}

func (s *served) judge() error {
	p, err := s.phone()
	if err != nil {
		return err
	}
	j, err := s.on.Judge(Answered{Phone: p, Code: s.q.Code, SID: s.q.SID,
		Began: s.before(s.q.Ago), Limits: s.by.Limits})
	if j.Answer.SID = ""; err != nil {
		return err
	}
	s.a.Match = matchOf(j.Match)
	s.a.Judged = judged{j.Answer, j.Free, j.Standing, j.Enough}
	if p.Number == "" && j.Match.Result == factor.Accepted {
		s.a.Sealed, err = s.seal(j.Proof)
	}
	return err
}
