package gate

import (
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/msteinert/pam/v2"
)

// field is what a client sends in one field.
const field = "s\xc3\xa9cret,123456"

// oneField authenticates a client that has sent its field by a line with split whose login program
// follows a script, in front of one that succeeds, and returns what the login programs noted of it
// and of lines below it, each with a script.
func oneField(t *testing.T, script string, below ...string) (map[string][]string, error) {
	t.Helper()
	return answered(t, field, script, below...)
}

// answered is oneField with another field; empty: the client cannot be asked.
func answered(t *testing.T, field, script string, below ...string) (map[string][]string, error) {
	t.Helper()
	if sanitizers != "" {
		t.Skip("msteinert/pam leaks 18 bytes (the name it gives to dlsym), which LeakSanitizer " +
			"reports; ./pam/login drives these lines too")
	}
	module := must(t, buildModule)
	dir, path := t.TempDir(), filepath.Join(writable(t), "notes")
	stack := "auth requisite " + module + " split notes=" + path + " " + script +
		"\nauth required pam_permit.so\n"
	for _, script := range below {
		stack += "auth required " + module + " notes=" + path + " " + script + "\n"
	}
	writeService(t, dir, stack)
	tx, err := pam.StartConfDir("latchkey-test", "root",
		pam.ConversationFunc(func(style pam.Style, text string) (string, error) {
			if style == pam.PromptEchoOff && text == "Password: " {
				if field == "" {
					return "", errors.New("this client cannot be asked")
				}
				return field, nil
			}
			return "asked", nil
		}), dir)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.End()
	err = tx.Authenticate(0)
	return notes(t, path), err
}

func TestALineWithSplitHasNoOpinionOrDenies(t *testing.T) {
	for _, c := range []struct {
		name, verdict string
		want          error // nil: the line has no opinion, and the one below succeeds
	}{
		{"nothing to cut", "V2 cut 0 0", nil},
		{"a code", "V2 cut 6 0", nil},
		{"a code behind a comma", "V2 cut 6 1", nil},
		{"all of it", "V2 cut 14 0", nil},
		{"all of it, with what is called a comma", "V2 cut 13 1", nil},
		{"denied", "V2 deny 19", pam.ErrConv},
		{"success", "V2 allow", pam.ErrSystem},
		{"more than there is", "V2 cut 15 0", pam.ErrSystem},
		{"more than there is, with the comma", "V2 cut 14 1", pam.ErrSystem},
		{"two commas", "V2 cut 6 2", pam.ErrSystem},
		{"longer than a code", "V2 cut 65 0", pam.ErrSystem},
		{"three digits", "V2 cut 006 1", pam.ErrSystem},
		{"a leading zero", "V2 cut 06 1", pam.ErrSystem},
		{"a sign", "V2 cut +6 1", pam.ErrSystem},
		{"less than nothing", "V2 cut -6 1", pam.ErrSystem},
		{"one number", "V2 cut 6", pam.ErrSystem},
		{"something behind it", "V2 cut 6 1 ", pam.ErrSystem},
		{"a NUL behind it", "V2 cut 6 1\x00", pam.ErrSystem},
		{"another version", "V1 cut 6 1", pam.ErrSystem},
	} {
		_, err := oneField(t, send(c.verdict))
		if !errors.Is(err, c.want) || (err == nil) != (c.want == nil) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
}

// Without an answer there is nothing to cut, and hello says so.
func TestLineWithSplitWithoutAnAnswerDeniesOnAnyVerdict(t *testing.T) {
	for _, verdict := range []string{"V2 cut 0 0", "V2 cut 6 1", "V2 allow"} {
		noted, err := answered(t, "", send(verdict))
		if !errors.Is(err, pam.ErrSystem) {
			t.Errorf("%s: %v", verdict, err)
		}
		if hello := noted["hello"][0]; strings.Contains(hello, "\x00typed=") {
			t.Errorf("hello %q", hello)
		}
	}
}

func TestTheLoginProgramSeesTheShapeOfAFieldAlone(t *testing.T) {
	noted, _ := oneField(t, send("V2 cut 0 0"))
	hello := noted["hello"][0]
	if !strings.Contains(hello, "\x00typed=a..aaaa,999999\x00") ||
		strings.Contains(hello, "cret") {
		t.Errorf("hello %q", hello)
	}
}

func TestTheKeptCodeAnswersTheFirstQuestionOfTheLineBelowOnce(t *testing.T) {
	below := send("Qcode") + " receive " + send("Qcode") + " receive " + send("V2 allow")
	noted, err := oneField(t, send("V2 cut 6 1"), below)
	if want := []string{"A123456", "Aasked"}; err != nil || !slices.Equal(noted["frame"], want) {
		t.Errorf("%v, answers %q, want %q", err, noted["frame"], want)
	}
	hello := noted["hello"][1]
	if !strings.Contains(hello, "\x00kept=1\x00") || strings.Contains(hello, "123456") {
		t.Errorf("hello of the line below: %q", hello)
	}
	noted, err = oneField(t, send("V2 cut 0 0"), below)
	if want := []string{"Aasked", "Aasked"}; err != nil || !slices.Equal(noted["frame"], want) {
		t.Errorf("%v, without a code: answers %q, want %q", err, noted["frame"], want)
	}
}

func TestTheKeptCodeIsThereForOneLine(t *testing.T) {
	noted, _ := oneField(t, send("V2 cut 6 1"), send("V2 allow"), send("V2 allow"))
	if hello := noted["hello"][2]; strings.Contains(hello, "kept") {
		t.Errorf("hello of the second line below: %q", hello)
	}
}

func TestOnlyALineWithSplitHasNoOpinion(t *testing.T) {
	for _, verdict := range []string{"V2 cut 0 0", "V2 cut 6 1", "V2 deny 25"} {
		_, err := oneField(t, send("V2 cut 6 1"), send(verdict))
		if !errors.Is(err, pam.ErrSystem) {
			t.Errorf("%s at a line without split: %v", verdict, err)
		}
	}
}
