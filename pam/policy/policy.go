// Package policy reads latchkey.toml and says which of its rules decides a login, and why.
//
// The file is TOML in its plain spelling: keys, [tables] and [[rule]]. Dotted keys and inline tables are refused, so that
// every setting has one spelling and one line. Parsing is strict, because a misspelt key that is skipped is a rule that
// silently does not apply: whatever is unknown, repeated or out of bounds is an error with file and line.
//
// The package asks no name service, knows no clock and links no network code.
package policy

import (
	"fmt"
	"time"
)

// Policy is latchkey.toml. The zero Policy is no policy: it grants no tries. Parse fills in the defaults.
type Policy struct {
	Unenrolled Unenrolled    // what happens to users without a record
	Ticket     bool          // a first enrollment needs a ticket of the administrator's
	EnrollBy   Date          // last day on which unenrolled users pass with a reminder; the zero Date: never
	Tries      int           // guesses in one login, 1 to 10
	Failures   Rate          // this many failures within the window lock the second factor
	Lock       time.Duration // how long that lock lasts, whole seconds, 1s to 24h
	// Consecutive is how many wrong guesses in a row lock the second factor until root unlocks it; 0: no number does.
	Consecutive int
	Phone       Phone
	Trust       Trust
	Rules       []Rule // in the order of the file
}

// defaults is the policy of an empty file.
func defaults() *Policy {
	return &Policy{
		Unenrolled:  UnenrolledDeny,
		Tries:       3,
		Failures:    Rate{Count: 10, Window: 10 * time.Minute},
		Lock:        15 * time.Minute,
		Consecutive: 100, // NIST SP 800-63B section 5.2.2
		Phone: Phone{
			Methods:      []Method{SMS, Call},
			SendsPerUser: Rate{Count: 5, Window: time.Hour},
			SendsPerHost: Rate{Count: 100, Window: time.Hour},
			Locale:       "en",
		},
		Trust: Trust{Bind: []Bind{BindKey}},
	}
}

// Parse reads the bytes of latchkey.toml. An absent key has its default, so that no bytes at all are a valid policy that
// asks everybody for a code. The error, if any, is the first one, as `file:line: what`; file is only used there. Values
// it quotes are cut and escaped.
func Parse(file string, data []byte) (*Policy, error) {
	if err := checkText(file, data); err != nil {
		return nil, err
	}
	d := newDocument(file, data)
	for d.parser.NextExpression() {
		if err := d.expression(d.parser.Expression()); err != nil {
			return nil, err
		}
	}
	if err := d.syntaxError(); err != nil {
		return nil, err
	}
	if err := d.closeTable(); err != nil {
		return nil, err
	}
	return d.policy, nil
}

// set stores one key of the part of the file before the first header.
func (p *Policy) set(v value) error {
	switch v.name {
	case "unenrolled":
		return word(UnenrolledDeny, UnenrolledAllow, UnenrolledEnroll)(v, &p.Unenrolled)
	case "enroll_by":
		return v.date(&p.EnrollBy)
	case "enroll_ticket":
		return v.boolean(&p.Ticket)
	case "limits", "phone", "trust":
		return v.errorf("%s is a table: write [%s] and its keys below", v.name, v.name)
	case "rule":
		return v.errorf("rule is a list of tables: write [[rule]] and its keys below")
	}
	return v.unknown()
}

// setLimit stores one key of [limits].
func (p *Policy) setLimit(v value) error {
	switch v.name {
	case "tries":
		return v.integer(&p.Tries, 1, 10)
	case "failures":
		return v.rate(&p.Failures, 64)
	case "lock":
		return v.span(&p.Lock)
	case "consecutive":
		return v.integer(&p.Consecutive, 0, 1_000_000)
	}
	return v.unknown()
}

// errorAt is every error of Parse.
func errorAt(file string, line int, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", file, line, fmt.Sprintf(format, args...))
}
