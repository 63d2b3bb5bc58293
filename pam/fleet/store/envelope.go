package store

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"
)

// envelope is what stands under a user's state: the state, and what else the fleet needs.
type envelope struct {
	epoch  uint64
	tokens []stored // of questions that were answered, oldest first
	state  []byte   // state.Encode
}

// stored is the answer to a question, for one who did not get it and asks again.
type stored struct {
	token  [16]byte // keyed hash of the question's token
	whole  [16]byte // keyed hash of the whole question
	at     time.Time
	done   bool   // else more is to come, and who asks again must wait
	answer []byte // sealed with the token; empty if it was too long to be kept
}

// Bounds of what is stored.
const (
	maxTokens = 64
	repeats   = 10 * time.Second // an answer is given again
	// remembers is how long a token is known. A service accepts a question whose time is up to
	// 30 seconds from its own, and the clocks of two services are at most 10 seconds apart.
	remembers = 75 * time.Second
)

const envelopeVersion = 1

func (e *envelope) encode() []byte {
	b := []byte{envelopeVersion}
	b = binary.BigEndian.AppendUint64(b, e.epoch)
	b = append(b, byte(len(e.tokens)))
	for _, s := range e.tokens {
		b = append(append(b, s.token[:]...), s.whole[:]...)
		b = binary.BigEndian.AppendUint64(b, uint64(s.at.UnixMilli()))
		b = append(b, boolByte(s.done))
		b = binary.BigEndian.AppendUint16(b, uint16(len(s.answer)))
		b = append(b, s.answer...)
	}
	return append(b, e.state...)
}

func boolByte(is bool) byte {
	if is {
		return 1
	}
	return 0
}

var errEnvelope = errors.New("a user's state in etcd is not one of this version of latchkey")

// cursor cuts bytes off a text; what is not there is zero, and noted.
type cursor struct {
	rest  []byte
	short bool
}

func (c *cursor) next(n int) []byte {
	if len(c.rest) < n {
		c.short = true
		return make([]byte, n)
	}
	part := c.rest[:n]
	c.rest = c.rest[n:]
	return part
}

func decodeEnvelope(b []byte) (*envelope, error) {
	c := &cursor{rest: b}
	version := c.next(1)[0]
	e := &envelope{epoch: binary.BigEndian.Uint64(c.next(8))}
	count := int(c.next(1)[0])
	if version != envelopeVersion || count > maxTokens {
		return nil, errEnvelope
	}
	for range count {
		s := stored{token: [16]byte(c.next(16)), whole: [16]byte(c.next(16))}
		s.at = time.UnixMilli(int64(binary.BigEndian.Uint64(c.next(8))))
		s.done = c.next(1)[0] == boolByte(true)
		s.answer = slices.Clone(c.next(int(binary.BigEndian.Uint16(c.next(2)))))
		e.tokens = append(e.tokens, s)
	}
	e.state = c.rest
	if c.short {
		return nil, errEnvelope
	}
	return e, nil
}

// remember adds the answer to a question in place of an earlier one, and forgets what is too old
// or too much: the answer before the token, without which the question would be done again.
func (e *envelope) remember(s stored) {
	const maxAnswers = 8
	e.tokens = slices.DeleteFunc(e.tokens, func(old stored) bool {
		return s.at.Sub(old.at).Abs() >= remembers || old.token == s.token
	})
	e.tokens = append(e.tokens, s)
	e.tokens = e.tokens[max(0, len(e.tokens)-maxTokens):]
	for i := range e.tokens {
		old := &e.tokens[i]
		if i < len(e.tokens)-maxAnswers || s.at.Sub(old.at).Abs() > repeats {
			old.answer = nil
		}
	}
}
