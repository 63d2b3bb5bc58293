// Package summary shows an activation: what is in force, what is pending, and what to do now.
package summary

import (
	"fmt"
	"io"
	"strings"
	"time"

	"latchkey/enroll/activate/journal"
)

// Summary is an activation as --status shows it; its JSON is an interface.
type Summary struct {
	State    journal.State `json:"state"`
	Stack    string        `json:"stack,omitempty"`
	Services []string      `json:"services"`
	Until    *time.Time    `json:"until,omitempty"` // when it is undone unless it is confirmed
	By       string        `json:"by,omitempty"`
	At       *time.Time    `json:"at,omitempty"`  // when it was confirmed or undone
	Why      string        `json:"why,omitempty"` // it was undone
	Files    []File        `json:"files"`

	left, theirs []string
	due          time.Duration
}

// File is a file of an activation.
type File struct {
	Path  string `json:"path"`
	Holds string `json:"holds"` // activated, before, other, or what hinders reading it
}

// activated is what a file holds that is as the activation wrote it.
const activated = "activated"

var holding = map[journal.Holds]string{journal.After: activated, journal.Before: "before",
	journal.Other: "other"}

// Of is the summary of an activation at a moment.
func Of(j *journal.Journal, store journal.Store, now journal.Moment) Summary {
	s := Summary{State: j.State, Stack: j.Stack, Services: append([]string{}, j.Services...),
		By: j.By, Why: j.Why, Files: []File{}, left: j.Left, theirs: j.Theirs}
	if j.State == journal.Pending {
		s.due = j.Due(now).Round(time.Second)
		until := now.Wall.Add(s.due).UTC().Round(time.Second)
		s.Until = &until
	}
	if !j.At.IsZero() {
		at := j.At.UTC().Truncate(time.Second)
		s.At = &at
	}
	for _, f := range j.Files {
		holds, err := store.Content(f)
		text := holding[holds]
		if err != nil {
			text = err.Error()
		}
		s.Files = append(s.Files, File{f.Path, text})
	}
	return s
}

// Write writes the summary for people.
func (s Summary) Write(w io.Writer) error {
	var b strings.Builder
	switch s.State {
	case journal.Active:
		fmt.Fprintf(&b, "In force: %s (%s), confirmed by %s on %s UTC.\n", s.Stack,
			strings.Join(s.Services, ", "), s.By, s.At.Format(time.DateTime))
		s.writeOthers(&b)
	case journal.Pending:
		s.writePending(&b)
		s.writeOthers(&b)
	default:
		s.writeInactive(&b)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func (s Summary) writePending(b *strings.Builder) {
	if s.due == 0 {
		fmt.Fprint(b, "No one has confirmed this in time: it is being undone. If it stays like this, "+
			"type\nenroll deactivate, which says what is in the way.\n")
		return
	}
	fmt.Fprintf(b, `sshd now asks for %s (%s). Open sessions go on.
This is undone at %s (in %v), unless you keep it: leave this session open,
log in once more in a second terminal, with a code, and type there (with sudo, if you are not root):

    enroll activate --confirm

`, s.Stack, strings.Join(s.Services, ", "), s.Until.Local().Format(time.TimeOnly), s.due)
}

// writeOthers names the files that are not as the activation left them.
func (s Summary) writeOthers(b *strings.Builder) {
	for _, f := range s.Files {
		if f.Holds != activated {
			fmt.Fprintf(b, "%s is no longer as enroll activate left it: %s\n", f.Path, f.Holds)
		}
	}
}

func (s Summary) writeInactive(b *strings.Builder) {
	fmt.Fprintln(b, "enroll activate is not in force.")
	if s.Why != "" {
		fmt.Fprintf(b, "Undone on %s UTC: %s.\n", s.At.Format(time.DateTime), s.Why)
	}
	for _, path := range s.left {
		fmt.Fprintf(b, "%s was changed by others meanwhile, and is as they left it.\n", path)
	}
	for _, path := range s.theirs {
		fmt.Fprintf(b, "%s was changed by others meanwhile: only what enroll activate wrote was "+
			"taken out of it.\n", path)
	}
}
