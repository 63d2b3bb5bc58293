package wire

import (
	"crypto/ed25519"
	"encoding/json"
	"errors"

	"latchkey/pam/fleet/fleetkey"
)

// What signatures and seals are bound to, so that no message passes for another kind.
const (
	questionInfo = "latchkey fleet question 1"
	answerInfo   = "latchkey fleet answer 1"

	answerKeySize = 32
	encSize       = 32 // of an X25519 key that was made for one question
)

// Sealed is a question on its way, with what is needed to open its answer.
type Sealed struct {
	Request []byte // what the services get, each of them the same bytes
	token   Token
	key     []byte // seals the answer
}

// Seal signs a question with the host's key and seals it to the fleet.
func Seal(q Question, host fleetkey.Signing, fleet fleetkey.Sealing) (*Sealed, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	inner, err := json.Marshal(q)
	if err != nil {
		return nil, err
	}
	enc, sender, err := fleet.Sender(questionInfo)
	if err != nil {
		return nil, err
	}
	sealed, err := sender.Seal(nil, append(sign(host, questionInfo, inner), inner...))
	if err != nil {
		return nil, err
	}
	key, err := sender.Export(answerInfo, answerKeySize)
	if err != nil {
		return nil, err
	}
	s := &Sealed{Request: append(enc, sealed...), token: q.Token, key: key}
	if len(s.Request) > MaxMessage {
		return nil, errLong
	}
	return s, nil
}

var errLong = errors.New("the message is longer than 64 KiB")

func sign(k fleetkey.Signing, info string, parts ...[]byte) []byte {
	return k.Sign(bound(info, parts...))
}

// bound is what is signed: the kind of message, then the message.
func bound(info string, parts ...[]byte) []byte {
	message := append([]byte(info), 0)
	for _, part := range parts {
		message = append(message, part...)
	}
	return message
}

// Opened is a question as a service received it. Whose it is must still be proven.
type Opened struct {
	request   []byte
	question  Question
	inner     []byte
	signature []byte
	key       []byte // seals the answer
}

// Open opens a request. The error is for a request that was not sealed to this fleet or is
// malformed: no answer to it can be sealed.
func Open(request []byte, fleet fleetkey.Opening) (*Opened, error) {
	if len(request) > MaxMessage || len(request) < encSize {
		return nil, errNotSealed
	}
	recipient, err := fleet.Recipient(request[:encSize], questionInfo)
	if err != nil {
		return nil, errNotSealed
	}
	plain, err := recipient.Open(nil, request[encSize:])
	if err != nil || len(plain) < ed25519.SignatureSize {
		return nil, errNotSealed
	}
	o := &Opened{request: request, signature: plain[:ed25519.SignatureSize],
		inner: plain[ed25519.SignatureSize:]}
	if err := Decode(o.inner, &o.question); err != nil {
		return nil, err
	}
	if err := o.question.check(); err != nil {
		return nil, err
	}
	o.key, err = recipient.Export(answerInfo, answerKeySize)
	return o, err
}

var errNotSealed = errors.New("the request is not sealed to this fleet")

// Claimed is the question before anything proves who asks it: only to find that host's key.
func (o *Opened) Claimed() Question { return o.question }

// Prove returns the question if host is the key that signed it.
func (o *Opened) Prove(host fleetkey.Public) (Question, error) {
	if !host.Verifies(bound(questionInfo, o.inner), o.signature) {
		return Question{}, errors.New("the question is not signed by the host that it names")
	}
	return o.question, nil
}
