// Package policy reads latchkey.toml and says which of its rules decides a login, and why.
//
// The file is TOML in its plain spelling: keys, [tables] and [[rule]]. Dotted keys and inline
// tables are refused, so that every setting has one spelling and one line. Parsing is strict,
// because a misspelled key that is skipped is a rule that silently does not apply: anything
// unknown, repeated or out of bounds is an error with file and line.
//
// The package asks no name service, knows no clock and links no network code.
package policy

import (
	"time"

	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/policy/value"
	"latchkey/pam/strict"
)

// Policy is latchkey.toml. The zero Policy is no policy: it grants no tries. Parse fills in the
// defaults.
type Policy struct {
	Unenrolled Unenrolled // what happens to users without a record
	Ticket     bool       // a first enrollment needs a ticket from the administrator
	NoTicket   bool       // the file says that it needs none: in a fleet that must be said
	// last day on which unenrolled users pass with a reminder; the zero Date: never
	EnrollBy value.Date
	Issuer   string        // what an app shows above its codes; "": the host's name
	Help     string        // what users are told with the last refusal; "": nothing
	Tries    int           // guesses in one login, 1 to 10
	Limits   limit.Guesses // the lock lasts whole seconds, 1s to 24h
	// RequireAttestation is whether only those security keys count that their maker has attested.
	RequireAttestation bool

	Phone  Phone
	Trust  Trust
	Notify Notify
	Log    Log
	Rules  []Rule // in the order of the file
}

// defaults is the policy of an empty file.
func defaults() *Policy {
	return &Policy{
		Unenrolled: UnenrolledDeny,
		Tries:      3,
		Limits: limit.Guesses{
			Failures:    limit.Rate{Count: 10, Window: 10 * time.Minute},
			Lock:        15 * time.Minute,
			Consecutive: 100, // NIST SP 800-63B section 5.2.2
		},
		Phone: Phone{
			Methods: []method.Method{method.SMS, method.Call},
			Sends: limit.Sends{
				User: limit.Rate{Count: 5, Window: time.Hour},
				Host: limit.Rate{Count: 100, Window: time.Hour},
			},
			Locale: "en",
		},
		Trust: Trust{Bind: []Bind{BindKey}},
		Log:   Log{Format: LogText},
	}
}

// Parse reads the bytes of latchkey.toml. An absent key has its default, so that no bytes at all
// are a valid policy that asks all users for a code. The error, if any, is the first one, as
// `file:line: what`; file is only used there. Values it quotes are cut and escaped.
func Parse(file string, data []byte) (*Policy, error) {
	p := defaults()
	schema := strict.Schema{
		File: file, Limit: maxFile, Open: p.open, Set: p.store,
		Tables: []string{"limits", "phone", "trust", "notify", "log"}, Lists: []string{"rule"},
		Keys: keys,
	}
	schema.Close = func(table string, lines map[string]int) error {
		return p.close(schema, table,
			lines)
	}
	if err := schema.Read(data); err != nil {
		return nil, err
	}
	return p, nil
}

// open takes a header: each [[rule]] is one more rule.
func (p *Policy) open(table string, line int) {
	if table == "rule" {
		p.Rules = append(p.Rules, Rule{Line: line})
	}
}

// store gives a value to the table below whose header it stands.
func (p *Policy) store(table string, v strict.Value) error {
	switch table {
	case "":
		return p.set(v)
	case "limits":
		return p.setLimit(v)
	case "phone":
		return p.Phone.set(v)
	case "trust":
		return p.Trust.set(v)
	case "notify":
		return p.Notify.set(v)
	case "log":
		return p.Log.set(v)
	case "rule":
		return p.currentRule().set(v)
	}
	return v.Unknown()
}

// close checks what can only be known once all keys of a table are.
func (p *Policy) close(s strict.Schema, table string, lines map[string]int) error {
	if table != "rule" {
		return nil
	}
	return p.currentRule().complete(s, lines)
}

func (p *Policy) currentRule() *Rule { return &p.Rules[len(p.Rules)-1] }

// set stores one key of the part of the file before the first header.
func (p *Policy) set(v strict.Value) error {
	switch v.Name {
	case "unenrolled":
		return strict.Word(UnenrolledDeny, UnenrolledAllow, UnenrolledEnroll)(v, &p.Unenrolled)
	case "enroll_by":
		return p.EnrollBy.Read(v)
	case "enroll_ticket":
		err := v.Bool(&p.Ticket)
		p.NoTicket = err == nil && !p.Ticket
		return err
	case "require_attestation":
		return v.Bool(&p.RequireAttestation)
	case "issuer":
		return issuer(v, &p.Issuer)
	case "help":
		return help(v, &p.Help)
	}
	return v.Unknown()
}

// setLimit stores one key of [limits].
func (p *Policy) setLimit(v strict.Value) error {
	switch v.Name {
	case "tries":
		return v.Int(&p.Tries, 1, 10)
	case "failures":
		return value.Rate(v, &p.Limits.Failures, 64)
	case "lock":
		return value.Span(v, &p.Limits.Lock)
	case "consecutive":
		return v.Int(&p.Limits.Consecutive, 0, 1_000_000)
	}
	return v.Unknown()
}
