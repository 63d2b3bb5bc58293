package wire

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/netip"
	"os/exec"
	"reflect"
	"strings"
	"testing"
	"time"

	"latchkey/pam/fleet/fleetkey"
	"latchkey/pam/testroot"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

func opening(t *testing.T) fleetkey.Opening {
	t.Helper()
	k, err := fleetkey.OpeningFrom(secret)
	testroot.Must(t, err)
	return k
}

// asked is a question with everything in it.
func asked() Question {
	return Question{
		Version: 1, Host: "web1", Token: Token{1, 2, 3}, At: testroot.Noon, Op: "verify",
		User: "alice", UID: 1000, Service: "sshd", From: netip.MustParseAddr("192.0.2.7"),
		Body: json.RawMessage(`{"code":"123456"}`),
	}
}

func answered() Answer {
	return Answer{Epoch: 7, At: testroot.Noon.Add(time.Second), Node: "mfa1",
		Body: json.RawMessage(`{"result":"accepted"}`)}
}

// exchange is a question on its way and as a service has it.
func exchange(t *testing.T, q Question, host fleetkey.Signing) (*Sealed, *Opened) {
	t.Helper()
	sealed, err := Seal(q, host, opening(t).Public())
	testroot.Must(t, err)
	opened, err := Open(sealed.Request, opening(t))
	testroot.Must(t, err)
	return sealed, opened
}

func TestQuestionAndAnswerArriveAsTheyWereSent(t *testing.T) {
	host, fleet := fleetkey.NewSigning(), fleetkey.NewSigning()
	sealed, opened := exchange(t, asked(), host)
	got, err := opened.Prove(host.Public())
	if err != nil || !reflect.DeepEqual(got, asked()) {
		t.Errorf("got question %+v, %v; want %+v", got, err, asked())
	}
	body, err := opened.Answer(answered(), fleet)
	testroot.Must(t, err)
	want := answered()
	want.Version, want.Token = 1, asked().Token
	a, err := sealed.Open(body, fleetkey.NewSigning().Public(), fleet.Public())
	if err != nil || !reflect.DeepEqual(a, want) {
		t.Errorf("got answer %+v, %v; want %+v", a, err, want)
	}
}

func TestNothingOfAQuestionOrAnswerCanBeReadOnItsWay(t *testing.T) {
	host, fleet := fleetkey.NewSigning(), fleetkey.NewSigning()
	sealed, opened := exchange(t, asked(), host)
	body, err := opened.Answer(answered(), fleet)
	testroot.Must(t, err)
	for _, bytesOnTheWay := range [][]byte{sealed.Request, body} {
		for _, hidden := range []string{"alice", "123456", "verify", "web1", "accepted", "mfa1"} {
			if bytes.Contains(bytesOnTheWay, []byte(hidden)) {
				t.Errorf("got %q on the wire", hidden)
			}
		}
	}
}

func TestQuestionProvesOnlyTheHostThatSignedIt(t *testing.T) {
	host := fleetkey.NewSigning()
	_, opened := exchange(t, asked(), host)
	for name, key := range map[string]fleetkey.Public{
		"another host's key": fleetkey.NewSigning().Public(),
		"no key":             {},
	} {
		if got, err := opened.Prove(key); err == nil || !reflect.DeepEqual(got, Question{}) {
			t.Errorf("%s: got %+v, %v; want an error and no question", name, got, err)
		}
	}
}

func TestRequestThatIsChangedAnywhereIsNotOpened(t *testing.T) {
	sealed, _ := exchange(t, asked(), fleetkey.NewSigning())
	for i := range sealed.Request {
		changed := bytes.Clone(sealed.Request)
		changed[i] ^= 1
		if _, err := Open(changed, opening(t)); err == nil {
			t.Fatalf("got a request opened whose byte %d is changed", i)
		}
	}
	for name, request := range map[string][]byte{
		"nothing": nil, "a key alone": sealed.Request[:encSize], "half": sealed.Request[:100],
		"one byte more": append(bytes.Clone(sealed.Request), 0),
		"zeros":         make([]byte, 200), "too much": make([]byte, MaxMessage+1),
	} {
		if _, err := Open(request, opening(t)); err == nil {
			t.Errorf("%s: got it opened", name)
		}
	}
	other, err := fleetkey.OpeningFrom([]byte("another fleet's secret, 32 bytes.."))
	testroot.Must(t, err)
	if _, err := Open(sealed.Request, other); err == nil {
		t.Error("got it opened by another fleet")
	}
}

// forged are the answers with which a program that carries them may try to let someone in.
func forged(
	t *testing.T, sealed *Sealed, opened *Opened, host, fleet fleetkey.Signing,
) map[string][]byte {
	t.Helper()
	good, err := opened.Answer(answered(), fleet)
	testroot.Must(t, err)
	stranger, err := opened.Answer(answered(), fleetkey.NewSigning())
	testroot.Must(t, err)
	mirrored, err := opened.Answer(answered(), host)
	testroot.Must(t, err)
	_, another := exchange(t, asked(), host)
	replayed, err := another.Answer(answered(), fleet)
	testroot.Must(t, err)
	// the key of this question, the signature over another one's
	moved := *another
	moved.key = opened.key
	resealed, err := moved.Answer(answered(), fleet)
	testroot.Must(t, err)
	return map[string][]byte{
		"nothing": nil, "ok": []byte("ok"), "JSON": []byte(`{"version":1,"fault":""}`),
		"zeros": make([]byte, 300), "the question": sealed.Request,
		"half an answer": good[:len(good)/2], "an answer and a byte": append(bytes.Clone(good), 0),
		"signed by a stranger": stranger, "signed by the host itself": mirrored,
		"an answer to the same question, asked before": replayed,
		"an old answer, sealed for this question":      resealed,
		"too much": make([]byte, MaxMessage+1),
	}
}

func TestForgedAnswersAreRefused(t *testing.T) {
	host, fleet := fleetkey.NewSigning(), fleetkey.NewSigning()
	sealed, opened := exchange(t, asked(), host)
	for name, body := range forged(t, sealed, opened, host, fleet) {
		a, err := sealed.Open(body, fleet.Public())
		if FaultOf(err) != Forged || !reflect.DeepEqual(a, Answer{}) {
			t.Errorf("%s: got %+v, %v; want it forged", name, a, err)
		}
	}
	good, err := opened.Answer(answered(), fleet)
	testroot.Must(t, err)
	for i := range good {
		changed := bytes.Clone(good)
		changed[i] ^= 0x80
		if _, err := sealed.Open(changed, fleet.Public()); FaultOf(err) != Forged {
			t.Fatalf("got %v for an answer whose byte %d is changed, want it forged", err, i)
		}
	}
	if _, err := sealed.Open(good); FaultOf(err) != Forged {
		t.Errorf("got %v without a key of the fleet, want it forged", err)
	}
	if _, err := sealed.Open(good, fleetkey.Public{}); FaultOf(err) != Forged {
		t.Errorf("got %v with the zero key, want it forged", err)
	}
}

// signed is the text, signed as an answer to the question.
func signed(t *testing.T, opened *Opened, fleet fleetkey.Signing, text string) []byte {
	t.Helper()
	seal, err := answerSeal(opened.key)
	testroot.Must(t, err)
	digest := sha256.Sum256(opened.request)
	return seal.Seal(nil, nil,
		append(sign(fleet, answerInfo, digest[:], []byte(text)), text...), nil)
}

func TestSignedAnswerThatMakesNoSenseIsAgainstTheProtocol(t *testing.T) {
	host, fleet := fleetkey.NewSigning(), fleetkey.NewSigning()
	sealed, opened := exchange(t, asked(), host)
	good := `{"version":1,"token":"` + asked().Token.String() +
		`","epoch":1,"at":"2026-01-01T00:00:00Z","node":"a","fault":""}`
	if _, err := sealed.Open(signed(t, opened, fleet, good), fleet.Public()); err != nil {
		t.Fatalf("got %v for the answer that the others are made of", err)
	}
	for name, text := range map[string]string{
		"nothing": "", "null": "null", "{}": "{}", "a list": "[]", "two": good + good,
		"text behind it":   good + "x",
		"another version":  strings.Replace(good, `"version":1`, `"version":2`, 1),
		"another token":    strings.Replace(good, "0102", "0103", 1),
		"a short token":    strings.Replace(good, "010203", "", 1),
		"no epoch":         strings.Replace(good, `"epoch":1`, `"epoch":0`, 1),
		"a negative epoch": strings.Replace(good, `"epoch":1`, `"epoch":-1`, 1),
		"an unknown field": strings.Replace(good, `"node"`, `"nodes"`, 1),
	} {
		_, err := sealed.Open(signed(t, opened, fleet, text), fleet.Public())
		if FaultOf(err) != Protocol {
			t.Errorf("%s: got %v, want %s", name, err, Protocol)
		}
	}
}

func TestQuestionOfAnotherFormIsNeitherSealedNorOpened(t *testing.T) {
	for name, change := range map[string]func(q *Question){
		"another version":  func(q *Question) { q.Version = 2 },
		"no version":       func(q *Question) { q.Version = 0 },
		"no token":         func(q *Question) { q.Token = Token{} },
		"no host":          func(q *Question) { q.Host = "" },
		"a host of a path": func(q *Question) { q.Host = "../web1" },
		"a hidden host":    func(q *Question) { q.Host = ".web1" },
		"an option":        func(q *Question) { q.Host = "-web1" },
		"a host of words":  func(q *Question) { q.Host = "web 1" },
		"a host of lines":  func(q *Question) { q.Host = "web\n1" },
		"no operation":     func(q *Question) { q.Op = "" },
		"a long host":      func(q *Question) { q.Host = strings.Repeat("x", 256) },
		"a long user":      func(q *Question) { q.User = strings.Repeat("x", 256) },
		"a long body": func(q *Question) {
			q.Body = json.RawMessage(`"` + strings.Repeat("x", MaxMessage) + `"`)
		},
	} {
		q := asked()
		change(&q)
		if _, err := Seal(q, fleetkey.NewSigning(), opening(t).Public()); err == nil {
			t.Errorf("%s: got it sealed", name)
		}
		if q.check() == nil && name != "a long body" {
			t.Errorf("%s: got it opened", name)
		}
	}
}

func TestAnswerWithoutAnEpochIsNotSent(t *testing.T) {
	_, opened := exchange(t, asked(), fleetkey.NewSigning())
	if body, err := opened.Answer(Answer{}, fleetkey.NewSigning()); err == nil {
		t.Errorf("got %d bytes, want an error", len(body))
	}
	long := answered()
	long.Text = strings.Repeat("x", MaxMessage)
	if _, err := opened.Answer(long, fleetkey.NewSigning()); !errors.Is(err, errLong) {
		t.Errorf("got %v, want that it is too long", err)
	}
}

func TestFaultOfAnythingButAnErrorOfTheFleetIsInternal(t *testing.T) {
	for _, c := range []struct {
		err  error
		want Fault
	}{
		{Errorf(Revoked, "by root"), Revoked},
		{errors.Join(errors.New("while asking"), &Error{Fault: Clock}), Clock},
		{&Error{}, Internal}, {errors.New("x"), Internal}, {nil, Internal},
	} {
		if got := FaultOf(c.err); got != c.want {
			t.Errorf("%v: got %q, want %q", c.err, got, c.want)
		}
	}
}

func TestPackageLinksNoNetwork(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	testroot.Must(t, err)
	for _, path := range strings.Fields(string(out)) {
		first, _, _ := strings.Cut(path, "/")
		if path == "net" || path == "os/exec" || path == "crypto/tls" || path == "crypto/x509" ||
			strings.HasPrefix(path, "net/http") || strings.Contains(first, ".") {
			t.Errorf("it links %s", path)
		}
	}
}

func FuzzOpen(f *testing.F) {
	k, err := fleetkey.OpeningFrom(secret)
	if err != nil {
		f.Fatal(err)
	}
	sealed, err := Seal(asked(), fleetkey.NewSigning(), k.Public())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(sealed.Request)
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, request []byte) {
		opened, err := Open(request, k)
		if err != nil {
			return
		}
		if _, err := opened.Prove(fleetkey.NewSigning().Public()); err == nil {
			t.Error("got a question proven by a key that did not sign it")
		}
	})
}

func FuzzAnswerText(f *testing.F) {
	f.Add(`{"version":1,"epoch":1,"token":"01020300000000000000000000000000","fault":"role"}`)
	f.Fuzz(func(t *testing.T, text string) {
		host, fleet := fleetkey.NewSigning(), fleetkey.NewSigning()
		sealed, opened := exchange(t, asked(), host)
		a, err := sealed.Open(signed(t, opened, fleet, text), fleet.Public())
		if err == nil && (a.Version != 1 || a.Token != asked().Token || a.Epoch == 0) {
			t.Errorf("got %+v", a)
		}
	})
}
