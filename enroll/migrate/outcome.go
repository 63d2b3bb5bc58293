package migrate

import (
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"latchkey/enroll/plural"
	"latchkey/pam/method"
	"latchkey/pam/takeover"
)

// What becomes of a user.
const (
	Taken     = string(takeover.Imported)
	Replaced  = string(takeover.Replaced)
	Unchanged = string(takeover.Unchanged)
	Updated   = string(takeover.Updated)
	Kept      = string(takeover.Kept)
	Unknown   = "unknown" // there is no such user
	Failed    = "failed"
)

// Outcome is what became of a user; its JSON is an interface.
type Outcome struct {
	User    string   `json:"user"` // empty: the file does not say
	File    string   `json:"file"`
	Result  string   `json:"result"`
	Devices []Device `json:"devices"`
	Codes   int      `json:"recovery_codes"`
	Lost    []string `json:"not_taken_over"`
	Notes   []string `json:"notes"`
	Problem string   `json:"problem,omitempty"`
}

// Device is a device that was taken over.
type Device struct {
	Type   method.Method `json:"type"`
	Label  string        `json:"label"`
	Number string        `json:"number,omitempty"` // of a phone, its last four digits
}

// listed is the outcome with empty lists where there is nothing: JSON has no null for these.
func (o Outcome) listed() Outcome {
	o.Devices = append([]Device{}, o.Devices...)
	o.Lost, o.Notes = append([]string{}, o.Lost...), append([]string{}, o.Notes...)
	return o
}

// Bad reports whether the user could not be taken over.
func (o *Outcome) Bad() bool {
	good := []string{Taken, Replaced, Unchanged, Updated}
	return o.Problem != "" || !slices.Contains(good, o.Result)
}

// Changed reports whether something was changed for the user.
func (o *Outcome) Changed() bool {
	return o.Result == Taken || o.Result == Replaced || o.Result == Updated
}

// Line is the outcome for people.
func (o *Outcome) Line() string {
	name := o.User
	if name == "" {
		name = o.File
	}
	return shown(name) + ": " + o.what()
}

func (o *Outcome) what() string {
	switch o.Result {
	case Unknown:
		return o.Problem
	case Failed:
		return "not imported: " + o.Problem
	case Kept:
		return "has a second factor already; not touched (--replace replaces it)"
	case Updated:
		return o.noted("already there",
			"codes that were used elsewhere since then no longer work")
	case Unchanged:
		return o.noted("already there, unchanged")
	}
	parts := []string{o.Result + ": " + strings.Join(o.came(), ", ")}
	if len(o.Lost) > 0 {
		parts = append(parts, "not taken over: "+strings.Join(o.Lost, ", "))
	}
	if o.Problem != "" {
		parts = append(parts, "but: "+o.Problem)
	}
	return o.noted(parts...)
}

// noted is parts of a line, and the notes.
func (o *Outcome) noted(parts ...string) string {
	return strings.Join(append(parts, o.Notes...), "; ")
}

// came is what came over.
func (o *Outcome) came() (all []string) {
	for _, d := range o.Devices {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %q %s", d.Type, d.Label, d.Number)))
	}
	if o.Codes > 0 {
		all = append(all, plural.Of(o.Codes, "recovery code"))
	}
	return all
}

// shown is a text that comes from outside, fit for a line of its own.
func shown(text string) string {
	unprintable := func(r rune) bool { return !unicode.IsPrint(r) }
	if !utf8.ValidString(text) || strings.ContainsFunc(text, unprintable) {
		return fmt.Sprintf("%q", text)
	}
	return text
}
