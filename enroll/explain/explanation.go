package explain

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"latchkey/enroll/plural"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/policy"
)

// Explanation is what a login would come to; its JSON is an interface.
type Explanation struct {
	User    string `json:"user"`
	UID     uint32 `json:"uid"`
	Service string `json:"service"`
	From    string `json:"from"`
	Rule    int    `json:"rule"` // counted from 1; 0: none matches
	Line    int    `json:"line"` // of that rule in latchkey.toml; 0 likewise
	Why     string `json:"why"`
	// what could not be told, from the first rule to the last
	Unknown []policy.Unknown `json:"unknown"`
	Methods []method.Method  `json:"methods"` // that are accepted
	// for how long this computer may be trusted after the login, and what it is recognized by
	TrustDays int           `json:"trust_days"` // 0: not at all
	TrustBind []policy.Bind `json:"trust_bind"`

	Result string         `json:"result"` // asked, allow, enroll or deny
	Reason verdict.Reason `json:"reason,omitempty"`
	Detail string         `json:"detail,omitempty"`
	Shown  []string       `json:"shown"` // what the user would see, the first prompt last

	// what the service's PAM stack has to do with it, beyond what is usual
	Stack []string `json:"stack"`
	// methods that are accepted and with which this user cannot log in
	Unusable []Unusable `json:"unusable"`
	// the security keys with which an SSH login is let in, and nothing is asked
	Keys   []string `json:"keys"`
	bypass bool     // root has given out a code that works now
}

// Write writes the explanation for people.
func (e Explanation) Write(w io.Writer) {
	from := e.From
	if from == "" {
		from = "no address"
	}
	fmt.Fprintf(w, "%s (uid %d), service %s, from %s\n", e.User, e.UID, e.Service, from)
	if e.Why != "" { // a policy that cannot be read says nothing
		fmt.Fprintln(w, e.Why)
	}
	for _, u := range e.Unknown {
		fmt.Fprintf(w, "cannot be checked: %s%s\n", u, strictly[u.Decided])
	}
	if words := e.usable(); len(words) > 0 {
		fmt.Fprintf(w, "accepted: %s\n", strings.Join(words, ", "))
	}
	if e.TrustDays > 0 {
		fmt.Fprintf(w, "trust: for %s, by %s\n", plural.Of(e.TrustDays, "day"), bound(e.TrustBind))
	}
	for _, u := range e.Unusable {
		fmt.Fprintf(w, "does not work: %s: %s\n", u.Method, u.Why)
	}
	for _, label := range e.Keys {
		fmt.Fprintf(w, "if sshd accepts the security key %q, the login is allowed and nothing "+
			"is asked\n", label)
	}
	for _, text := range e.Stack {
		fmt.Fprintf(w, "PAM: %s\n", text)
	}
	for _, text := range e.Shown {
		fmt.Fprintf(w, "the user sees: %s\n", text)
	}
	fmt.Fprintln(w, results[e.Result]+because(e))
}

// usable are the methods that are accepted and can work.
func (e Explanation) usable() (words []string) {
	for _, m := range e.Methods {
		if !slices.ContainsFunc(e.Unusable, func(u Unusable) bool { return u.Method == m }) {
			words = append(words, string(m))
		}
	}
	return words
}

// bound is what a trusted computer is recognized by.
func bound(to []policy.Bind) string {
	if len(to) > 1 {
		return "key and address"
	}
	return string(to[0])
}

// strictly says what a condition that could not be told did to the decision.
var strictly = map[bool]string{true: "; so the stricter of both outcomes counts",
	false: "; it makes no difference"}

var results = map[string]string{
	"asked":  "the login goes on with a right answer",
	"allow":  "the login is allowed without a code",
	"enroll": "the user sets up a second factor inside the login",
	"deny":   "the login is denied",
}

func because(e Explanation) string {
	text := ""
	if e.Reason != "" {
		text = ": reason=" + string(e.Reason)
	}
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// Unusable is a method that the policy accepts and that cannot work for this user now.
type Unusable struct {
	Method method.Method `json:"method"`
	Why    string        `json:"why"`
}

func (e *Explanation) deny(detail string) { e.Result, e.Reason, e.Detail = "deny", "", detail }

// unasked: the stack decides without pam_latchkey.
func (e *Explanation) unasked(in bool) {
	e.Rule, e.Line, e.Methods, e.Shown, e.Unusable = 0, 0, []method.Method{}, []string{},
		[]Unusable{}
	e.TrustDays, e.TrustBind = 0, []policy.Bind{}
	e.Why = "PAM service " + e.Service + " does not come to pam_latchkey: no rule is asked"
	if e.Result, e.Reason, e.Detail = "allow", "", ""; !in {
		e.deny("PAM service " + e.Service + " lets no one in")
	}
}

// stuck reports whether no accepted method works.
func (e *Explanation) stuck() bool {
	return !e.bypass && len(e.Methods) > 0 && len(e.Unusable) == len(e.Methods)
}
