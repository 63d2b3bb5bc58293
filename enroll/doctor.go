package main

import (
	"fmt"
	"io"
	"slices"
	"time"

	"latchkey/pam/policy"
)

// status is what a check came to; its values are an interface (doctor --json).
type status string

const (
	fine  status = "ok"
	warns status = "warning" // somebody should know; it fails nothing
	fails status = "error"
)

// finding is one thing that doctor looked at; its JSON is an interface.
type finding struct {
	Check  string `json:"check"` // what was looked at: a file, or file:line
	Status status `json:"status"`
	Detail string `json:"detail"` // what is wrong with it, or what there is to know
	Hint   string `json:"hint"`   // what to do about it
}

func okay(check string) finding { return finding{Check: check, Status: fine} }

func warning(check, detail, hint string) finding { return finding{check, warns, detail, hint} }

func fault(check string, err error, hint string) finding {
	return finding{check, fails, err.Error(), hint}
}

// verdict is okay without an error, and otherwise a fault.
func verdict(check string, err error, hint string) finding {
	if err == nil {
		return okay(check)
	}
	return fault(check, err, hint)
}

// doctor tells whether a login would work, and whether one could slip past.
func (p *program) doctor(o options) error {
	found := []finding{p.checkPolicy(policy.DefaultPath)}
	found = append(found, p.checkInstallation()...)
	found = append(found, p.checkRecords()...)
	found = append(found, p.checkLogins(o.service)...)
	found = append(found, checkClock(clockState))
	if p.phonesWanted() {
		found = append(found, p.checkTwilio()...)
	}
	found = distinct(found)
	if err := writeFindings(p.out, found, o.json); err != nil {
		return err
	}
	bad := 0
	for _, f := range found {
		if f.Status == fails {
			bad++
		}
	}
	if bad > 0 {
		return &failure{fmt.Sprintf("%d of %d checks failed", bad, len(found)), ""}
	}
	return nil
}

// distinct drops what was found twice: services share files.
func distinct(all []finding) []finding {
	var kept []finding
	for _, f := range all {
		if !slices.Contains(kept, f) {
			kept = append(kept, f)
		}
	}
	return kept
}

func writeFindings(w io.Writer, found []finding, asJSON bool) error {
	if asJSON {
		return writeJSON(w, found)
	}
	for _, f := range found {
		line := fmt.Sprintf("%s: %s", f.Status, f.Check)
		if f.Detail != "" {
			line += ": " + f.Detail
		}
		if f.Hint != "" {
			line += "\nhint: " + f.Hint
		}
		if _, err := fmt.Fprintln(w, line); err != nil {
			return err
		}
	}
	return nil
}

// checkPolicy reads a policy, and warns of users whom it lets in without a code because they have no record.
func (p *program) checkPolicy(path string) finding {
	rules, err := policy.Load(p.root, path)
	if err != nil {
		return fault(path, err, "until it can be read every login is denied")
	}
	if until := rules.EnrollBy.String(); until >= p.clock().Format(time.DateOnly) {
		return warning(path, "until "+until+" is over, who has not enrolled gets in without a code", "")
	}
	if rules.Unenrolled == policy.UnenrolledAllow {
		return warning(path, "who has not enrolled gets in without a code", `unenrolled = "deny"`)
	}
	return okay(path)
}
