package terminal

import (
	"os"
	"strings"
	"testing"
	"time"
)

// counted is a count to 30, of which each step takes a tenth of a second.
func counted(out *strings.Builder) {
	now := time.Unix(0, 0)
	p := &Progress{clock: func() time.Time { return now }, what: "users read", all: 30,
		next: now.Add(second)}
	if out != nil {
		p.out = out
	}
	for range 30 {
		p.Step()
		now = now.Add(second / 10)
	}
	p.End()
	p.End()
}

func TestProgressIsShownOnceASecondAndTakenAway(t *testing.T) {
	var out strings.Builder
	counted(&out)
	want := "\rusers read: 11 of 30\x1b[K\rusers read: 21 of 30\x1b[K\r\x1b[K"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestProgressNamesNoTotalThatNoOneKnows(t *testing.T) {
	var out strings.Builder
	now := time.Unix(0, 0)
	p := &Progress{clock: func() time.Time { return now }, out: &out, what: "entries read"}
	p.Step()
	if want := "\rentries read: 1\x1b[K"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestWhatTakesNoSecondShowsNothing(t *testing.T) {
	var out strings.Builder
	p := &Progress{clock: func() time.Time { return time.Unix(0, 0) }, out: &out,
		next: time.Unix(1, 0)}
	p.Step()
	p.End()
	if out.Len() > 0 {
		t.Errorf("got %q, want nothing", out.String())
	}
}

func TestProgressIsNotShownInAPipe(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if p := New(os.Stdin, w, w).Progress("users read", 1); p.out != nil {
		t.Error("got that it is shown, want nothing in a pipe")
	}
	counted(nil) // and nothing fails for it
}
