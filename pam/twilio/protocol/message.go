// Package protocol is what latchkey-login and latchkey-twilio say to each other: one Request on
// standard input, one Answer on standard output, each one JSON object of at most 64 KiB in exactly
// one form. Credentials, codes and numbers travel only here, never in arguments or in the
// environment. The login program links this package, so it imports nothing of the network.
package protocol

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
)

// MaxMessage is the longest message, in bytes.
const MaxMessage = 64 << 10

// EncodeRequest checks r and returns it as it goes over the pipe.
func EncodeRequest(r Request) ([]byte, error) { return encode(r) }

// EncodeAnswer checks a and returns it as it goes over the pipe.
func EncodeAnswer(a Answer) ([]byte, error) { return encode(a) }

// DecodeAnswer returns the answer that data is. No error shows anything of it.
func DecodeAnswer(data []byte) (Answer, error) { return decode[Answer](data) }

// ReadRequest reads a request until the end of r, and no more of r than a request can be long. No
// error shows anything of it.
func ReadRequest(r io.Reader) (Request, error) {
	data, err := io.ReadAll(io.LimitReader(r, MaxMessage+1))
	if err != nil {
		return Request{}, errors.New("the message could not be read")
	}
	return decode[Request](data)
}

type message interface {
	Request | Answer
	Validate() error
}

func encode[M message](m M) ([]byte, error) {
	if err := m.Validate(); err != nil {
		return nil, err
	}
	data, err := json.Marshal(m)
	if err == nil && len(data) > MaxMessage {
		return nil, errLong
	}
	return data, err
}

// decode takes only what encode writes, byte for byte: so there is no unknown field, nothing
// twice, nothing in another case, nothing behind the end, and nothing that two parsers could
// understand differently.
func decode[M message](data []byte) (M, error) {
	var m, none M
	switch {
	case len(data) > MaxMessage:
		return none, errLong
	case !sameVersion(data):
		return none, errVersion
	case json.Unmarshal(data, &m) != nil:
		return none, errForm
	}
	again, err := encode(m)
	if err != nil {
		return none, err
	}
	if !bytes.Equal(again, data) {
		return none, errForm
	}
	return m, nil
}

// sameVersion reports whether data is of our version or not JSON at all, whose error is another.
func sameVersion(data []byte) bool {
	var m struct{ Version int }
	return json.Unmarshal(data, &m) != nil || m.Version == Version
}

var (
	errLong = errors.New("the message is longer than 64 KiB")
	errForm = errors.New("the message is not one of version 1 in its one form")
)
