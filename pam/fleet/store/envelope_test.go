package store

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"latchkey/pam/fleet/secret"
	"latchkey/pam/testroot"
)

func filled() *envelope {
	at := time.UnixMilli(1_800_000_000_123)
	return &envelope{epoch: 7, state: []byte("state"), tokens: []stored{
		{token: [16]byte{1}, whole: [16]byte{2}, at: at, done: true, answer: []byte("answer")},
		{token: [16]byte{3}, whole: [16]byte{4}, at: at, answer: []byte{}}}}
}

func TestEnvelopeIsReadAsItWasWritten(t *testing.T) {
	got, err := decodeEnvelope(filled().encode())
	if err != nil || !reflect.DeepEqual(got, filled()) {
		t.Errorf("got %+v, %v; want %+v", got, err, filled())
	}
}

func TestEnvelopeThatIsCutOrOfAnotherVersionIsRefused(t *testing.T) {
	whole := filled().encode()
	for n := range len(whole) - len(filled().state) {
		if got, err := decodeEnvelope(whole[:n]); err == nil {
			t.Errorf("cut to %d bytes: got %+v", n, got)
		}
	}
	whole[0] = 2
	if got, err := decodeEnvelope(whole); err == nil {
		t.Errorf("version 2: got %+v", got)
	}
}

// A question whose token is forgotten is done again by a service that comes to it late.
func TestTokensAreRememberedWhileAQuestionMayComeLateAndAnswersForLessLong(t *testing.T) {
	const maxAnswers = 8
	e, at := &envelope{}, time.UnixMilli(1_800_000_000_000)
	add := func(n int, at time.Time) {
		e.remember(stored{token: [16]byte{byte(n)}, at: at, done: true, answer: []byte{1}})
	}
	for n := range maxTokens + 4 {
		add(n, at)
	}
	add(maxTokens+3, at)
	if len(e.tokens) != maxTokens || e.tokens[0].token[0] != 4 || answers(e) != maxAnswers {
		t.Errorf("got %d tokens from %d on, %d answers; want %d from 4 on, %d", len(e.tokens),
			e.tokens[0].token[0], answers(e), maxTokens, maxAnswers)
	}
	add(200, at.Add(repeats+1))
	if len(e.tokens) != maxTokens || answers(e) != 1 {
		t.Errorf("later: got %d tokens and %d answers, want %d and 1", len(e.tokens), answers(e),
			maxTokens)
	}
	if add(201, at.Add(remembers)); len(e.tokens) != 2 {
		t.Errorf("in the end: got %d tokens, want 2", len(e.tokens))
	}
}

func answers(e *envelope) (n int) {
	for _, s := range e.tokens {
		n += min(len(s.answer), 1)
	}
	return n
}

func TestSealedValueOpensOnlyUnderItsOwnKey(t *testing.T) {
	k, err := deriveKeys(secret.New())
	testroot.Must(t, err)
	sealed := seal(k.values, []byte("x"), "user/alice/state")
	if got, err := open(k.values, sealed, "user/alice/state"); err != nil || string(got) != "x" {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := open(k.values, sealed, "user/bob/state"); !errors.Is(err, ErrSealed) {
		t.Errorf("under another key: got %q, %v; want ErrSealed", got, err)
	}
	for i := range sealed {
		sealed[i] ^= 1
		if got, err := open(k.values, sealed, "user/alice/state"); !errors.Is(err, ErrSealed) {
			t.Errorf("byte %d changed: got %q, %v; want ErrSealed", i, got, err)
		}
		sealed[i] ^= 1
	}
	for n := range sealed {
		if got, err := open(k.values, sealed[:n], "user/alice/state"); err == nil {
			t.Errorf("cut to %d bytes: got %q", n, got)
		}
	}
}

func TestAnswerIsSealedWithItsToken(t *testing.T) {
	k, err := deriveKeys(secret.New())
	testroot.Must(t, err)
	with, err := k.answerSeal([16]byte{1}, []byte("question"))
	testroot.Must(t, err)
	sealed := seal(with, []byte("answer"), "")
	for _, other := range []struct {
		token [16]byte
		whole string
	}{{[16]byte{2}, "question"}, {[16]byte{1}, "another"}} {
		with, err := k.answerSeal(other.token, []byte(other.whole))
		testroot.Must(t, err)
		if got, err := open(with, sealed, ""); err == nil {
			t.Errorf("%v: got %q", other, got)
		}
	}
}

func FuzzDecodeEnvelope(f *testing.F) {
	f.Add(filled().encode())
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, b []byte) {
		e, err := decodeEnvelope(b)
		if err != nil {
			return
		}
		again, err := decodeEnvelope(e.encode())
		if err != nil || !reflect.DeepEqual(again, e) {
			t.Errorf("got %+v, %v after %+v", again, err, e)
		}
	})
}
