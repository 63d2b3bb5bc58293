package nearest_test

import (
	"strconv"
	"strings"
	"testing"

	"latchkey/pam/nearest"
)

func TestMisspelledWordIsRecognized(t *testing.T) {
	words := []string{"status", "add", "remove", "codes", "list", "reset", "sms"}
	for word, want := range map[string]string{
		"statsu": "status", "stats": "status", "statuss": "status", "stotus": "status",
		"STATUS": "status",
		"sttus":  "status", "ad": "add", "addd": "add", "dad": "add", "code": "codes",
		"lits": "list", "resat": "reset",
		"rmoeve": "remove", "smss": "sms",
		"": "", "a": "", "x": "", "frobnicate": "", "alice": "", "sum": "", "abcd": "",
		strings.Repeat("s", 65): "",
	} {
		if got := nearest.To(word, words); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

func TestQuestionNamesTheWordOrIsEmpty(t *testing.T) {
	got := nearest.Ask("stats", []string{"status"}, strconv.Quote)
	if got != `; did you mean "status"?` {
		t.Errorf("got %q", got)
	}
	got = nearest.Ask("stats", []string{"remove"}, strconv.Quote) +
		nearest.Ask("stats", nil, strconv.Quote)
	if got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}
