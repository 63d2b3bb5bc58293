package protocol_test

import (
	"bytes"
	"testing"

	"latchkey/pam/twilio/protocol"
)

// FuzzReadRequest: no bytes panic; what is accepted is valid and has exactly these bytes.
func FuzzReadRequest(f *testing.F) {
	for _, r := range []protocol.Request{send(), check(), probe()} {
		data, err := protocol.EncodeRequest(r)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := protocol.ReadRequest(bytes.NewReader(data))
		if err != nil {
			if r != (protocol.Request{}) {
				t.Error("a request came with the error")
			}
			return
		}
		if again, err := protocol.EncodeRequest(r); err != nil || !bytes.Equal(again, data) ||
			len(data) > protocol.MaxMessage {
			t.Errorf("%v: %q is %q", err, data, again)
		}
		if t := r.Timeout(); t <= 0 || t > protocol.MaxTimeout {
			panic(t)
		}
	})
}

// FuzzDecodeAnswer: no bytes panic; what is accepted is valid, printable and has exactly these
// bytes.
func FuzzDecodeAnswer(f *testing.F) {
	data, err := protocol.EncodeAnswer(answer())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(data)
	f.Add([]byte(`{"version":1,"result":"approved"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := protocol.DecodeAnswer(data)
		if err != nil {
			if a != (protocol.Answer{}) {
				t.Error("an answer came with the error")
			}
			return
		}
		if again, err := protocol.EncodeAnswer(a); err != nil || !bytes.Equal(again, data) {
			t.Errorf("%v: %q is %q", err, data, again)
		}
		if a.Result == protocol.Approved && !protocol.IsVerificationSID(a.SID) {
			t.Errorf("approved without a verification: %q", data)
		}
		for _, b := range data {
			if b < ' ' || b > '~' {
				t.Errorf("%q is not printable", data)
			}
		}
	})
}
