package strict_test

import (
	"bytes"
	"errors"
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/pelletier/go-toml/v2"

	"latchkey/pam/strict"
)

// settings is the target of the schema of these tests.
type settings struct {
	Word  string
	On    bool
	Count int
	UID   uint32
	Day   time.Time
	At    time.Time
	Names []string
	Limit struct{ Tries int }
	Rule  []struct{ Name string }
}

func (s *settings) schema(hidden string) strict.Schema {
	return strict.Schema{
		File: "f", Limit: 4096, Tables: []string{"limit"}, Lists: []string{"rule"}, Hidden: hidden,
		Open: func(table string, _ int) {
			if table == "rule" {
				s.Rule = append(s.Rule, struct{ Name string }{})
			}
		},
		Set: s.set,
		Close: func(table string, lines map[string]int) error {
			if table == "rule" && lines["name"] == 0 {
				return errors.New("f:1: a rule has a name")
			}
			return nil
		},
	}
}

func (s *settings) set(table string, v strict.Value) error {
	anyText := func(v strict.Value, into *string) error {
		return v.Text(into, "be a string", func(string) bool { return true })
	}
	switch table + "." + v.Name {
	case ".word":
		return strict.Word("one", "two", "three")(v, &s.Word)
	case ".on":
		return v.Bool(&s.On)
	case ".count":
		return v.Int(&s.Count, -5, 5)
	case ".uid":
		return v.Uint32(&s.UID)
	case ".day":
		return v.Date(&s.Day)
	case ".at":
		return v.Time(&s.At)
	case ".names":
		return strict.Some(v, &s.Names, anyText)
	case "limit.tries":
		return v.Int(&s.Limit.Tries, 1, 10)
	case "rule.name":
		return anyText(v, &s.Rule[len(s.Rule)-1].Name)
	}
	return v.Unknown()
}

const good = `word = "two"
on = true
count = -3
uid = 4294967295
day = 2027-01-31
at = 2027-01-31T12:00:00Z
names = ["a", 'b']
[limit]
tries = 0x0a
[[rule]]
name = """x"""
[[rule]]
name = "y"
`

func TestEveryKindOfValueIsRead(t *testing.T) {
	var got settings
	if err := got.schema("").Read([]byte(good)); err != nil {
		t.Fatal(err)
	}
	want := settings{
		Word: "two", On: true, Count: -3, UID: 4294967295,
		Day: time.Date(2027, 1, 31, 0, 0, 0, 0, time.UTC),
		At:  time.Date(2027, 1, 31, 12, 0, 0, 0, time.UTC), Names: []string{"a", "b"},
		Rule: []struct{ Name string }{{"x"}, {"y"}},
	}
	want.Limit.Tries = 10
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %+v\nwant %+v", got, want)
	}
}

const aTime = "a time such as 2027-01-31T12:00:00Z, without quotes"

// mistakes are those that the tests of policy and settings do not cover; their tables have the
// rest, message by message.
var mistakes = []struct{ name, text, open, hidden string }{
	{"a uid that is too large", "uid = 4294967296",
		"1: uid must be a whole number from 0 to 4294967295, not 4294967296",
		"1: uid must be a whole number from 0 to 4294967295"},
	{"a uid that is a string", "\nuid = 'secret'",
		`2: uid must be a whole number from 0 to 4294967295, not "secret"`,
		"2: uid must be a whole number from 0 to 4294967295"},
	{"a time without an offset", "at = 2027-01-31T12:00:00",
		"1: at must be " + aTime + ", not the date or time 2027-01-31T12:00:00",
		"1: at must be " + aTime},
	{"an hour of one digit", "at = 2027-01-31T0:00:00Z",
		"1: at must be " + aTime + ", not the date or time 2027-01-31T0:00:00Z",
		"1: at must be " + aTime},
	{"an unknown key", "\n\nsecret = 1", `3: unknown key "secret"`, "3: no such key"},
	{"an unknown table", "[secret]", `1: unknown table "secret"`, "1: unknown table"},
	{"a dotted key", "limit.secret = 1",
		`1: dotted key "limit.secret": write a header and the key below it`, "1: no such key"},
	{"a name twice", "names = ['secret',\n'secret']", `2: names lists "secret" twice`,
		"2: names lists a value twice"},
	{"no TOML", "word = secret",
		"1: unexpected character U+0073 's' at start of value",
		`1: this is not TOML: write key = "value"`},
	{"a table that lacks a key", "[[rule]]\n[limit]\n", "1: a rule has a name",
		"1: a rule has a name"},
	{"a table at the end that lacks a key", "[[rule]]\n",
		"1: a rule has a name", "1: a rule has a name"},
}

func TestMistakeIsNamedWithItsLineAndShownUnlessTheFileIsOneOfSecrets(t *testing.T) {
	for _, c := range mistakes {
		for hidden, want := range map[string]string{"": c.open, "no such key": c.hidden} {
			err := new(settings).schema(hidden).Read([]byte(c.text))
			if got := fmt.Sprint(err); got != "f:"+want {
				t.Errorf("%s, hidden %q: got %s, want f:%s", c.name, hidden, got, want)
			}
		}
	}
}

// FuzzRead: No text panics. An error is one short printable line about a line of the file, which
// shows nothing of a file of secrets. What is accepted is what the ordinary TOML decoder finds
// there.
func FuzzRead(f *testing.F) {
	f.Add([]byte(good))
	for _, c := range mistakes {
		f.Add([]byte(c.text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		var got, hidden settings
		err := got.schema("").Read(text)
		hiddenErr := hidden.schema("no such key").Read(text)
		if (err == nil) != (hiddenErr == nil) {
			t.Errorf("hidden %v, otherwise %v", hiddenErr, err)
		}
		if err != nil {
			checkError(t, text, err)
			return
		}
		var want settings
		if err := toml.Unmarshal(text, &want); err != nil {
			t.Fatalf("accepted what is not TOML: %v", err)
		}
		want.Day = got.Day // the decoder puts a local date into the machine's own zone
		want.At, got.At = want.At.UTC(), got.At.UTC()
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%q:\ngot  %+v\nwant %+v", text, got, want)
		}
	})
}

func checkError(t *testing.T, text []byte, err error) {
	t.Helper()
	rest, _ := strings.CutPrefix(err.Error(), "f:")
	number, what, ok := strings.Cut(rest, ": ")
	line, bad := strconv.Atoi(number)
	if !ok || bad != nil || what == "" || line < 1 || line > 1+bytes.Count(text, []byte("\n")) {
		t.Errorf("not `file:line: what`: %q", err)
	}
	if strings.ContainsFunc(err.Error(), func(r rune) bool { return !strconv.IsPrint(r) }) ||
		len(err.Error()) > 300 {
		t.Errorf("not one short printable line: %q", err)
	}
}

func TestValueOfAnotherKindIsRefused(t *testing.T) {
	for text, want := range map[string]string{
		"on = 1":      "f:1: on must be true or false, not 1",
		"names = 'a'": `f:1: names must be a list such as ["a", "b"], not "a"`,
		"names = []":  "f:1: names is an empty list: leave it out or name at least one",
		"names = [1]": "f:1: each of names must be a string, not 1",
		"count = 6":   "f:1: count must be a whole number from -5 to 5, not 6",
		"count = -6":  "f:1: count must be a whole number from -5 to 5, not -6",
		"day = 2027-02-29": "f:1: day must be a date such as 2027-01-31, without quotes, not " +
			"the date or time 2027-02-29",
		"word = 'four'":   `f:1: word must be "one", "two" or "three", not "four"`,
		"word = {}":       `f:1: word must be "one", "two" or "three", not a table`,
		"limit = 1":       "f:1: limit is a table: write [limit] and its keys below",
		"rule = 1":        "f:1: rule is a list of tables: write [[rule]] and its keys below",
		"[rule]":          "f:1: write [[rule]], with two brackets on each side",
		"[[limit]]":       "f:1: write [limit], with one bracket on each side",
		"on = true\non=1": "f:2: on is set twice, first on line 1",
	} {
		if got := fmt.Sprint(new(settings).schema("").Read([]byte(text))); got != want {
			t.Errorf("%q:\ngot  %s\nwant %s", text, got, want)
		}
	}
}

func TestFileThatNoEditorWritesIsRefused(t *testing.T) {
	full := "#" + strings.Repeat("#", 4095)
	for text, want := range map[string]string{
		full + "\n":        "f:1: the file is longer than 4 KiB",
		"\n" + full:        "f:2: the file is longer than 4 KiB",
		"\xef\xbb\xbf#":    "f:1: the file begins with a byte order mark",
		"#\n\x00":          "f:2: NUL byte",
		"# ü\n\n# \xc3(\n": "f:3: invalid UTF-8",
		full:               "<nil>",
	} {
		if got := fmt.Sprint(new(settings).schema("").Read([]byte(text))); got != want {
			t.Errorf("%.10q: got %s, want %s", text, got, want)
		}
	}
}
