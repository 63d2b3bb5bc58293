package policy

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
	"testing"

	"github.com/pelletier/go-toml/v2"
)

// requests are asked of every policy that the fuzzer finds.
var requests = []Request{
	{},
	{User: "alice", Service: "sshd", From: "10.1.2.3", InGroup: inGroups("wheel")},
	{User: "alice", Service: "sudo", InGroup: inGroups()},
	{User: "root", Service: "login", From: "gw.example",
		InGroup: func(string) (bool, error) { return false, errors.New("down") }},
	{User: "a\x1b\n", Service: strings.Repeat("s", 10000), From: "::ffff:192.0.2.7",
		InGroup: func(string) (bool, error) { return true, nil }},
}

// FuzzParse: no text panics; an error or a reason is one printable line, and an error's line
// number is one of the file's; what is accepted is TOML; no one passes without a code unless the
// ordinary TOML decoder, too, finds `require = "none"` in the rule that decided.
func FuzzParse(f *testing.F) {
	f.Add([]byte(readExample(f)))
	f.Add([]byte("[[rule]]\nrequire = 'none'\nusers = ['alice']\n[[rule]]\nfrom=['::/0', " +
		"'10.0.0.0/8']\nrequire=\"no\\u006ee\""))
	for _, c := range refusals {
		if len(c.text) < 1000 {
			f.Add([]byte(c.text))
		}
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := Parse("f", text)
		if err != nil {
			checkError(t, text, err)
			return
		}
		written := decode(t, text)
		if p.Unenrolled.String() != written.unenrolled() {
			t.Errorf("unenrolled is %q, written %q", p.Unenrolled, written.Unenrolled)
		}
		for _, r := range requests {
			checkDecision(t, p, p.Decide(r), written)
		}
	})
}

// written is the part of a file that can let someone in without a code.
type written struct {
	Unenrolled string
	Rule       []struct{ Require string }
}

func (w written) unenrolled() string {
	if w.Unenrolled == "" {
		return "deny"
	}
	return w.Unenrolled
}

func decode(t *testing.T, text []byte) (w written) {
	if err := toml.Unmarshal(text, &map[string]any{}); err != nil {
		t.Fatalf("accepted what is not TOML: %v", err)
	}
	if err := toml.Unmarshal(text, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

func checkError(t *testing.T, text []byte, err error) {
	rest, ok := strings.CutPrefix(err.Error(), "f:")
	number, what, ok2 := strings.Cut(rest, ": ")
	line, err2 := strconv.Atoi(number)
	if !ok || !ok2 || err2 != nil || what == "" || line < 1 ||
		line > 1+bytes.Count(text, []byte("\n")) {
		t.Errorf("not `file:line: what`: %q", err)
	}
	checkPrintable(t, err.Error())
}

func checkPrintable(t *testing.T, s string) {
	if strings.ContainsFunc(s, func(r rune) bool { return !strconv.IsPrint(r) }) || len(s) > 300 {
		t.Errorf("not one short printable line: %q", s)
	}
}

func checkDecision(t *testing.T, p *Policy, d Decision, w written) {
	checkPrintable(t, d.Why)
	checkPrintable(t, d.Doubts())
	switch {
	case d.Rule == 0:
		if d.Require != RequireCode {
			t.Errorf("no rule, but %+v", d)
		}
	case d.Line != p.Rules[d.Rule-1].Line:
		t.Errorf("%+v is not the rule of line %d", d, p.Rules[d.Rule-1].Line)
	case string(d.Require) != w.Rule[d.Rule-1].Require &&
		(d.Require != RequireDeny || len(d.Unknown) == 0):
		t.Errorf("%+v, but written is %q", d, w.Rule[d.Rule-1].Require)
	}
}
