package store

import (
	"encoding/json"
	"errors"

	"latchkey/pam/fleet/wire"
)

// asked is the question as it is stored: hashes that no one can compute without the secret.
func (t *Txn) asked(who Asker) (token, whole [16]byte) {
	k := t.store.keys
	token = [16]byte(k.sum([]byte("token"), who.Token[:]))
	whole = [16]byte(k.sum([]byte("question"), who.Token[:], []byte(who.Host), []byte(who.User),
		[]byte(who.Op), who.Body))
	return token, whole
}

// errUnfinished is of a question that another service is busy with.
var errUnfinished = errors.New("the question is being done")

// repeated returns the stored reply to a question that was done before. A token that belongs to
// another question, of another host or about another user or code, is refused.
func (t *Txn) repeated(who Asker) (r Reply, found bool, err error) {
	e, err := t.envelope(who.User)
	if err != nil || e == nil {
		return Reply{}, false, nil // op says what is wrong with it
	}
	token, whole := t.asked(who)
	for _, s := range e.tokens {
		if s.token != token {
			continue
		}
		switch {
		case s.whole != whole:
			return r, true, wire.Errorf(wire.Protocol, "the token belongs to another question")
		case t.Now.Sub(s.at).Abs() > repeats || s.done && len(s.answer) == 0:
			return r, true, wire.Errorf(wire.Unknown, "the question was done before")
		case !s.done:
			return r, true, errUnfinished
		}
		r, err = t.openReply(who, whole, s.answer)
		return r, true, err
	}
	return Reply{}, false, nil
}

func (t *Txn) openReply(who Asker, whole [16]byte, sealed []byte) (r Reply, err error) {
	with, err := t.store.keys.answerSeal(who.Token, whole[:])
	if err != nil {
		return r, err
	}
	text, err := open(with, sealed, "")
	if err != nil {
		return r, err
	}
	return r, json.Unmarshal(text, &r)
}

// keep stores the reply with the state that the question has changed. One that changed nothing may
// be asked again as often as anyone likes.
func (t *Txn) keep(who Asker, r Reply) error {
	v := t.values[stateKey(who.User)]
	if who.User == "" || v == nil || !v.changed || !v.there() {
		return nil
	}
	e, err := t.envelope(who.User)
	if err != nil {
		return err
	}
	token, whole := t.asked(who)
	s := stored{token: token, whole: whole, at: t.Now, done: who.Unfinished == nil ||
		!who.Unfinished()}
	text, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if s.done && len(text) <= maxAnswer {
		with, err := t.store.keys.answerSeal(who.Token, whole[:])
		if err != nil {
			return err
		}
		s.answer = seal(with, text, "")
	}
	e.remember(s)
	return t.Put(stateKey(who.User), e.encode())
}
