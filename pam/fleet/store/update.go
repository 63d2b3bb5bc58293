package store

import (
	"context"
	"encoding/json"
	"errors"

	"latchkey/pam/fleet/store/queue"
	"latchkey/pam/fleet/wire"
	"latchkey/pam/record"
)

// Asker is who asks what about whom.
type Asker struct {
	Host  string
	User  string // whose state remembers the answer; empty: none does
	Op    string
	Token wire.Token
	Body  []byte // what else was asked: the same token with another body is another question
	Needs []string
	// Admit refuses the question. It runs first in each transaction, so that what it reads is as
	// it is when the question is done.
	Admit func(*Txn) error
	// Charged is called after op if op charged the user with a wrong guess.
	Charged func(*Txn) error
	// Unfinished reports whether the question needs another Update after this one, which is
	// Continued. The same question asked again waits for that. nil: it does not.
	Unfinished func() bool
	Continued  bool
}

// Reply is what a question led to.
type Reply struct {
	Fault wire.Fault      `json:"fault,omitempty"`
	Text  string          `json:"text,omitempty"`
	Body  json.RawMessage `json:"body,omitempty"`
	// Fresh reports whether the question was done now, and not before.
	Fresh bool `json:"-"`
}

// Update runs op on the account of a user as it is now, and writes all that op changed, with its
// reply, in one transaction; if something changed meanwhile it runs op again. The same question
// asked again gets the same reply and is not done again.
//
// As on a single host, what op committed stays even if op then returns an error, such as the
// charge for a guess: the error is the reply. Only an error that matches ErrUndone undoes it.
// Update's own error is a wire.Error: then there is no reply, and what was asked may be done.
func (s *Store) Update(ctx context.Context, who Asker,
	op func(*Txn) (body any, err error)) (r Reply, err error) {
	for n := 0; ; n++ {
		r, err = s.update(ctx, who, op)
		switch {
		case err == nil:
			return r, nil
		case !errors.Is(err, errUnfinished):
			return Reply{}, &wire.Error{Fault: wire.FaultOf(err), Text: textOf(err)}
		case !pause(ctx, n):
			return Reply{}, wire.Errorf(wire.Unknown, "%v", err)
		}
	}
}

func (s *Store) update(ctx context.Context, who Asker,
	op func(*Txn) (body any, err error)) (r Reply, err error) {
	needs := who.Needs
	// GoneKey, because an account that came and went meanwhile looks like one that never was.
	if record.CheckName(who.User) == nil { // with another name, op says what is wrong
		needs = append(needs[:len(needs):len(needs)], KeyEpoch, recordKey(who.User),
			stateKey(who.User), GoneKey(who.User))
	}
	var turn queue.Turn
	defer turn.End()
	err = s.repeat(ctx, needs, func(t *Txn) error {
		r, err = s.answer(t, who, op)
		return err
	}, func() { turn.Wait(ctx, &s.queues, who.User) })
	return r, err
}

// ErrUndone marks an error of an operation whose changes are not to be kept.
var ErrUndone = errors.New("nothing was changed")

func (s *Store) answer(t *Txn, who Asker, op func(*Txn) (any, error)) (Reply, error) {
	t.point = func(moment string) { s.Point(who.Op, moment) }
	t.point("read")
	if who.Admit != nil {
		if err := who.Admit(t); err != nil {
			return Reply{}, err
		}
	}
	if !who.Continued {
		if r, found, err := t.repeated(who); found || err != nil {
			return r, err
		}
	}
	body, err := op(t)
	r := replyTo(body, err)
	if errors.Is(err, ErrUndone) {
		t.undo()
		return r, t.keep(who, r)
	}
	if who.Charged != nil && t.guessed[who.User] {
		if err := who.Charged(t); err != nil {
			return Reply{}, err
		}
	}
	t.point("ran")
	return r, t.keep(who, r)
}

// undo forgets all changes.
func (t *Txn) undo() {
	for key, v := range t.values {
		if v.changed {
			delete(t.values, key)
		}
	}
	t.guessed = nil
}

// replyTo is a reply with body also if there is an error.
func replyTo(body any, err error) Reply {
	r := Reply{Fresh: true}
	if err != nil {
		r.Fault, r.Text = wire.FaultOf(err), textOf(err)
	}
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return Reply{Fault: wire.Internal, Text: err.Error(), Fresh: true}
		}
		r.Body = text
	}
	return r
}

// textOf is an error without its fault.
func textOf(err error) string {
	var e *wire.Error
	if errors.As(err, &e) {
		return e.Text
	}
	return err.Error()
}
