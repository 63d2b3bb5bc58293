package main

import (
	"fmt"
	"slices"
	"strings"

	"latchkey/pam/method"
)

// What becomes of a user at an import.
const (
	taken     = "imported"
	replaced  = "replaced"  // what he had before is gone
	unchanged = "unchanged" // he had all that already
	updated   = "updated"   // likewise, but codes were used elsewhere meanwhile
	kept      = "kept"      // he has something else, and keeps it
	unknown   = "unknown"   // there is no such user
	notTaken  = "failed"
)

// outcome is what import tells of a user; its JSON is an interface.
type outcome struct {
	User    string           `json:"user"` // empty: the file does not say
	File    string           `json:"file"`
	Result  string           `json:"result"`
	Devices []importedDevice `json:"devices"`
	Codes   int              `json:"recovery_codes"`
	Lost    []string         `json:"not_taken_over"`
	Notes   []string         `json:"notes"`
	Problem string           `json:"problem,omitempty"`
}

type importedDevice struct {
	Type   method.Method `json:"type"`
	Label  string        `json:"label"`
	Number string        `json:"number,omitempty"` // of a phone, its last four digits
}

// failed is a file of which nothing can be taken over.
func failed(path string, err error) *candidate {
	c := &candidate{outcome: outcome{File: path}}
	c.fail(err)
	return c
}

func (c *candidate) fail(err error) {
	if c.Result != unknown {
		c.Result = notTaken
	}
	c.Problem = err.Error()
}

// tell fills in what came over.
func (c *candidate) tell() {
	for _, d := range c.entry.Devices {
		c.Devices = append(c.Devices, importedDevice{d.Type, d.Label, d.Hint()})
	}
	c.Codes, c.Lost, c.Notes = len(c.entry.Codes), c.entry.Lost, c.entry.Notes
}

// listed is the outcome with empty lists where there is nothing: JSON has no null for these.
func (o outcome) listed() outcome {
	o.Devices = append([]importedDevice{}, o.Devices...)
	o.Lost, o.Notes = append([]string{}, o.Lost...), append([]string{}, o.Notes...)
	return o
}

// bad tells whether the user could not be taken over.
func (o *outcome) bad() bool {
	return o.Problem != "" || !slices.Contains([]string{taken, replaced, unchanged, updated}, o.Result)
}

// line is the outcome for people.
func (o *outcome) line() string {
	name := o.User
	if name == "" {
		name = o.File
	}
	return shown(name) + ": " + o.what()
}

func (o *outcome) what() string {
	switch o.Result {
	case unknown:
		return o.Problem
	case notTaken:
		return "not imported: " + o.Problem
	case kept:
		return "has a second factor already; not touched (--replace replaces it)"
	case updated:
		return strings.Join(append([]string{"already there; codes that were used elsewhere since then no longer work"}, o.Notes...), "; ")
	case unchanged:
		return strings.Join(append([]string{"already there, unchanged"}, o.Notes...), "; ")
	}
	var what []string
	for _, d := range o.Devices {
		what = append(what, strings.TrimSpace(fmt.Sprintf("%s %q %s", d.Type, d.Label, d.Number)))
	}
	if o.Codes > 0 {
		what = append(what, counted(o.Codes, "recovery code"))
	}
	parts := []string{o.Result + ": " + strings.Join(what, ", ")}
	if len(o.Lost) > 0 {
		parts = append(parts, "not taken over: "+strings.Join(o.Lost, ", "))
	}
	if o.Problem != "" {
		parts = append(parts, "but: "+o.Problem)
	}
	return strings.Join(append(parts, o.Notes...), "; ")
}

// report tells of everybody, and fails if somebody could not be taken over. stopped is what stopped the import before its end.
func (i *importing) report(stopped error) error {
	bad := 0
	outcomes := []outcome{}
	for _, c := range i.all {
		if c.Result == "" {
			c.fail(stopped)
		}
		if c.bad() {
			bad++
		}
		outcomes = append(outcomes, c.listed())
	}
	if err := i.write(outcomes); err != nil {
		return &failure{fmt.Sprintf("the import is done, but its report could not be written: %v", err),
			"run it again: users who are already imported stay unchanged"}
	}
	if stopped != nil {
		return stopped
	}
	if bad > 0 {
		return &failure{fmt.Sprintf("%d of %d not imported", bad, len(i.all)), "each line says why; the others are done"}
	}
	return nil
}

func (i *importing) write(outcomes []outcome) error {
	if i.json {
		return writeJSON(i.out, outcomes)
	}
	for _, o := range outcomes {
		if _, err := fmt.Fprintln(i.out, o.line()); err != nil {
			return err
		}
	}
	return nil
}
