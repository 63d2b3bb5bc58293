package flow_test

import (
	"testing"

	"latchkey/pam/authority"
	"latchkey/pam/flow"
	"latchkey/pam/flow/verdict"
)

// says is an authority whose answers to the first two questions are these words.
type says struct {
	authority.Authority
	begins, guesses authority.Result
}

func (s says) Begin(authority.Login) (authority.Beginning, error) {
	return authority.Beginning{Match: authority.Match{Result: s.begins},
		Choices: authority.Choices{App: true}}, nil
}

func (s says) Guess(authority.Guess) (authority.Guessed, error) {
	return authority.Guessed{Match: authority.Match{Result: s.guesses}}, nil
}

func TestAnswerOfTheAuthorityThatIsNotKnownIsADenial(t *testing.T) {
	for name, c := range map[string]struct {
		begins, guesses authority.Result
		allow           bool
	}{
		"accepted at once":               {authority.Accepted, "", true},
		"accepted":                       {authority.Ask, authority.Accepted, true},
		"no word at first":               {"", authority.Accepted, false},
		"a new word at first":            {"welcome", authority.Accepted, false},
		"a word about a code at first":   {authority.Wrong, authority.Accepted, false},
		"no word about a code":           {authority.Ask, "", false},
		"a new word about a code":        {authority.Ask, "ok", false},
		"a word about a login at a code": {authority.Ask, authority.Ask, false},
		"nothing to ask for at a code":   {authority.Ask, authority.Nothing, false},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "")
			o := flow.Flow{Root: string(w.root), Clock: w.clock,
				Talk:      &user{world: w, answers: []string{"123456"}},
				Authority: says{begins: c.begins, guesses: c.guesses}}.Run(request())
			if o.Allow != c.allow || !c.allow && o.Reason != verdict.Internal {
				t.Errorf("got %+v, want allowed: %v, or denied as internal", o, c.allow)
			}
		})
	}
}
