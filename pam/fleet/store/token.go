package store

import (
	"encoding/json"
	"errors"

	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
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
	_, e, err := t.memory(who.User)
	if err != nil {
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

// memory returns where the answers about a user are remembered: with the state or, while there is
// none, alone. So a question that deletes an account is not done to the next account of that name.
func (t *Txn) memory(name string) (key string, e *envelope, err error) {
	if e, err = t.envelope(name); err != nil || e != nil {
		return stateKey(name), e, err
	}
	text, err := t.Get(GoneKey(name))
	if err != nil || text == nil {
		return GoneKey(name), &envelope{}, err
	}
	e, err = decodeEnvelope(text)
	return GoneKey(name), e, err
}

// Remember keeps the reply even if nothing was changed: a change that was refused must not be made
// by a service that comes to it later, when what stood in its way is gone.
func (t *Txn) Remember() { t.refusal = true }

// keep stores the reply with what the question has changed. One that neither changed anything nor
// called Remember may be asked again as often as anyone likes.
func (t *Txn) keep(who Asker, r Reply) error {
	const maxAnswer = 4 << 10
	if record.CheckName(who.User) != nil || !t.changed() && !t.refusal {
		return nil
	}
	key, e, err := t.memory(who.User)
	switch {
	case err == nil:
	case key == GoneKey(who.User):
		e = &envelope{} // as setState replaces one that cannot be read
	case !t.changed():
		return nil // the reply says what is wrong with the state
	default:
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
	return t.Put(key, e.encode())
}
