package flow_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"testing"

	"latchkey/pam/authority"
	"latchkey/pam/field"
	"latchkey/pam/record"
)

// overWire is whether the authority is reached over a wire, as in a fleet.
var overWire bool

// A login must come to the same wherever the accounts are: so every test of one runs twice. Random
// histories, which take longest, say nothing about a wire that the others do not.
func TestMain(m *testing.M) {
	code := m.Run()
	if skip := flag.Lookup("test.skip").Value; code == 0 && skip.String() == "" {
		fmt.Println("once more without random histories, with an authority behind a wire")
		overWire = true
		skip.Set("^TestOverRandomHistories|^TestNothingThatTwilioDoesExceeds")
		code = m.Run()
	}
	os.Exit(code)
}

// wired is an authority of which only JSON comes through.
type wired struct{ authority.Authority }

func (w wired) Begin(l authority.Login) (authority.Beginning, error) {
	return asked(w.Authority.Begin, l)
}

func (w wired) Guess(g authority.Guess) (authority.Guessed, error) {
	return asked(w.Authority.Guess, g)
}

func (w wired) Send(s authority.Send) (authority.Sent, error) {
	return asked(w.Authority.Send, s)
}

func (w wired) Crowded(l authority.Login) bool {
	crowded, _ := asked(func(l authority.Login) (bool, error) {
		return w.Authority.Crowded(l), nil
	}, l)
	return crowded
}

func (w wired) Trust(t authority.Trust) error {
	_, err := asked(func(t authority.Trust) (bool, error) { return true, w.Authority.Trust(t) }, t)
	return err
}

func (w wired) Forget(u record.User) error {
	_, err := asked(func(u record.User) (bool, error) { return true, w.Authority.Forget(u) }, u)
	return err
}

func (w wired) Codes(u record.User) (field.Codes, error) {
	return asked(w.Authority.Codes, u)
}

// asked is the answer to a question, both as they come out of JSON.
func asked[Q, A any](answer func(Q) (A, error), q Q) (A, error) {
	a, err := answer(through(q))
	fault := through(authority.FaultOf(err))
	if fault == "" {
		return through(a), nil
	}
	return through(a), fault.Error(through(err.Error()))
}

func through[T any](sent T) (received T) {
	data, err := json.Marshal(sent)
	if err == nil {
		err = json.Unmarshal(data, &received)
	}
	if err != nil {
		panic(err)
	}
	return received
}
