// Package wire is what a host and the service of a fleet say to each other: a Question, sealed to
// the fleet and signed by the host, and an Answer, signed by the fleet over the question that it
// answers. WIRE.md is the format.
//
// Neither the program that carries the bytes nor the TLS connection is trusted: nothing of either
// decides who may log in. The login program links this package, so it imports nothing of the
// network.
package wire

import (
	"bytes"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"net/netip"
	"time"
)

// Version is the version of both messages.
const Version = 1

// MaxMessage is the longest request and the longest answer, sealed, in bytes.
const MaxMessage = 64 << 10

// AnswerTime is how long a host waits for an answer. It is longer than a request to Twilio, which
// the service may make for it: the host is to hear what became of that. After it the host may ask
// for something else, so a service does nothing later.
const AnswerTime = 8 * time.Second

// Question is what a host asks.
type Question struct {
	Version int             `json:"version"`
	Host    string          `json:"host"` // its name in the fleet, whose key signs the question
	Token   Token           `json:"token"`
	At      time.Time       `json:"at"` // by the host's clock
	Op      string          `json:"op"` // what is to be done
	User    string          `json:"user,omitempty"`
	UID     uint32          `json:"uid,omitempty"`
	Service string          `json:"service,omitempty"` // the PAM service
	From    netip.Addr      `json:"from,omitzero"`     // the user's address; zero: not known
	Body    json.RawMessage `json:"body,omitempty"`    // what else Op needs
}

// Answer is what the fleet says to a question. Only an empty Fault means that it was done.
type Answer struct {
	Version int             `json:"version"`
	Token   Token           `json:"token"` // the question's
	Epoch   uint64          `json:"epoch"` // the fleet's generation; it only ever grows
	At      time.Time       `json:"at"`    // by the service's clock
	Node    string          `json:"node"`  // which service answered
	Fault   Fault           `json:"fault"` // why not
	Text    string          `json:"text,omitempty"`
	Body    json.RawMessage `json:"body,omitempty"`
}

// Token marks a question: the same one sent twice is done once.
type Token [16]byte

// NewToken makes a random token.
func NewToken() (t Token) {
	rand.Read(t[:])
	return t
}

// String is the token in hexadecimal.
func (t Token) String() string { return hex.EncodeToString(t[:]) }

// MarshalText implements encoding.TextMarshaler.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (t *Token) UnmarshalText(text []byte) error {
	raw, err := hex.DecodeString(string(text))
	if err != nil || len(raw) != len(t) || hex.EncodeToString(raw) != string(text) {
		return errors.New("a token is 32 hexadecimal digits")
	}
	copy(t[:], raw)
	return nil
}

// Bounds of the names in a question, which reach logs and keys.
const (
	maxOp   = 64
	maxName = 255
)

// check reports what is wrong with a question's form; whether it may be asked is the service's to
// say.
func (q *Question) check() error {
	switch {
	case q.Version != Version:
		return errVersion
	case q.Token == Token{}:
		return errors.New("the question has no token")
	case !IsHostName(q.Host) || !isName(q.Op, maxOp):
		return errors.New("the question has no host or no operation")
	case len(q.User) > maxName || len(q.Service) > maxName:
		return errors.New("a name in the question is too long")
	}
	return nil
}

func (a *Answer) check() error {
	switch {
	case a.Version != Version:
		return errVersion
	case a.Epoch == 0:
		return errors.New("the answer has no epoch")
	}
	return nil
}

// IsHostName reports whether a host can have that name in a fleet: letters, digits, dots, dashes
// and underscores.
func IsHostName(name string) bool {
	for _, c := range []byte(name) {
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && c != '.' && c != '-' && c != '_' {
			return false
		}
	}
	return isName(name, maxName) && name[0] != '.' && name[0] != '-'
}

// isName reports whether s can name an operation: printable ASCII without spaces.
func isName(s string, most int) bool {
	for _, c := range []byte(s) {
		if c <= ' ' || c > '~' {
			return false
		}
	}
	return s != "" && len(s) <= most
}

var errVersion = errors.New("the message is of another version of latchkey")

// Decode reads one JSON object that has no other fields than into, and nothing else. Its error shows
// nothing of the text.
func Decode(text []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if d.Decode(into) != nil {
		return errForm
	}
	if _, err := d.Token(); err != io.EOF {
		return errForm
	}
	return nil
}

var errForm = errors.New("the message is not one of version 1")
