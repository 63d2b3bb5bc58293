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

func TestEightTokensAreRememberedForAMinute(t *testing.T) {
	e, at := &envelope{}, time.UnixMilli(1_800_000_000_000)
	for n := range 12 {
		e.remember(stored{token: [16]byte{byte(n)}, at: at})
	}
	e.remember(stored{token: [16]byte{11}, at: at, done: true})
	if len(e.tokens) != maxTokens || e.tokens[0].token[0] != 4 || !e.tokens[7].done {
		t.Errorf("got %+v; want the last eight, the last of them done", e.tokens)
	}
	e.remember(stored{token: [16]byte{20}, at: at.Add(remembers)})
	if len(e.tokens) != 1 {
		t.Errorf("a minute later: got %d, want 1", len(e.tokens))
	}
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
