package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/pam/flow"
	"latchkey/pam/gate/names"
	"latchkey/pam/method"
	"latchkey/pam/policy"
	"latchkey/pam/twilio/protocol"
)

// explanation is what a login would come to; its JSON is an interface.
type explanation struct {
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
	Result  string           `json:"result"`  // asked, allow, enroll or deny
	Reason  flow.Reason      `json:"reason,omitempty"`
	Detail  string           `json:"detail,omitempty"`
	Shown   []string         `json:"shown"` // what the user would see, the first prompt last

	// what the service's PAM stack has to do with it, beyond what is usual
	Stack []string `json:"stack"`
	// methods that are accepted and with which this user cannot log in
	Unusable []unusable `json:"unusable"`
	bypass   bool       // root has given out a code that works now
}

// explain says which rule decides a login, what would be asked, and why, and what the service's
// stack makes of that. It holds that login with somebody who gives no answer, so what it says
// cannot differ from what happens; nothing is sent, counted or logged.
func (p *program) explain(o options.Options) error {
	who, err := p.recipient(o)
	if err != nil {
		return err
	}
	e := explanation{User: who.Name, UID: who.UID, Service: o.Service, From: o.From,
		Unknown: []policy.Unknown{}, Stack: []string{}, Unusable: []unusable{}}
	member := membership(names.LookUp(who.Name))
	forecast, err := p.forecast(&e, who, member)
	if err != nil {
		return err
	}
	forecast.judge(&e)
	if o.JSON {
		return writeJSON(p.Out, e)
	}
	e.write(p.Out)
	return nil
}

// decide asks the policy at path.
func (p *program) decide(e *explanation, who identity, member func(string) (bool, error),
	path string) error {
	rules, err := policy.Load(p.root, path)
	if err != nil {
		return hint.Error(err.Error(), "until it can be read, every login is denied")
	}
	d := rules.Decide(policy.Request{User: who.Name, Service: e.Service, From: e.From,
		InGroup: member})
	e.Rule, e.Line, e.Why, e.Methods = d.Rule, d.Line, d.Why, d.Methods
	e.Unknown = append([]policy.Unknown{}, d.Unknown...)
	slices.Reverse(e.Unknown)
	return p.usable(e, who, rules)
}

// membership asks the name service as the gate does, and about each group once: the decision and
// the rehearsal get one answer.
func membership(account *names.Account) func(group string) (bool, error) {
	type answer struct {
		in  bool
		err error
	}
	known := map[string]answer{}
	return func(group string) (bool, error) {
		a, ok := known[group]
		if !ok {
			a.in, a.err = account.InGroup(group)
			known[group] = a
		}
		return a.in, a.err
	}
}

// rehearse holds the login up to the first answer, with the arguments of a line in the service's
// stack. It gives the code that PAM gets if there is nothing to answer.
func (p *program) rehearse(e *explanation, who identity, member func(string) (bool, error),
	args []string) (code int) {
	silent := &listener{member: member}
	o := flow.Flow{
		Root: p.root, Keyring: p.keyring, Clock: p.clock, Talk: silent, Verifier: mute{},
		Debug: func(string) {},
	}.Run(flow.Request{User: who.Name, Name: who.Name, UID: who.UID, Lookup: flow.Found,
		Service: e.Service, From: e.From, ByEnroll: e.Service == service, Args: args})
	e.Shown, e.Reason, e.Detail = silent.shown, o.Reason, o.Detail
	switch {
	case o.Reason == flow.MustEnroll:
		e.Result, e.Reason = "enroll", ""
	case o.PAM() == 0:
		e.Result = "allow"
	case silent.asked:
		e.Result, e.Reason = "asked", ""
	default:
		e.Result = "deny"
	}
	return o.PAM()
}

func (e explanation) write(w io.Writer) {
	from := e.From
	if from == "" {
		from = "no address"
	}
	fmt.Fprintf(w, "%s (uid %d), service %s, from %s\n%s\n", e.User, e.UID, e.Service, from, e.Why)
	for _, u := range e.Unknown {
		fmt.Fprintf(w, "cannot be checked: %s%s\n", u, strictly[u.Decided])
	}
	if len(e.Methods) > 0 {
		var words []string
		for _, m := range e.Methods {
			words = append(words, string(m))
		}
		fmt.Fprintf(w, "accepted: %s\n", strings.Join(words, ", "))
	}
	for _, u := range e.Unusable {
		fmt.Fprintf(w, "does not work: %s: %s\n", u.Method, u.Why)
	}
	for _, text := range e.Stack {
		fmt.Fprintf(w, "PAM: %s\n", text)
	}
	for _, text := range e.Shown {
		fmt.Fprintf(w, "the user sees: %s\n", text)
	}
	fmt.Fprintln(w, results[e.Result]+because(e))
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

func because(e explanation) string {
	text := ""
	if e.Reason != "" {
		text = ": reason=" + string(e.Reason)
	}
	if e.Detail != "" {
		text += " (" + e.Detail + ")"
	}
	return text
}

// listener is a user who says nothing.
type listener struct {
	member func(string) (bool, error)
	shown  []string
	asked  bool
}

func (l *listener) Ask(prompt string) (string, error) {
	l.asked = true
	l.shown = append(l.shown, strings.TrimSpace(prompt))
	return "", flow.ErrConversation
}

func (l *listener) Tell(text string) error {
	l.shown = append(l.shown, text)
	return nil
}

func (l *listener) InGroup(group string) (bool, error) { return l.member(group) }

// mute is Twilio Verify for who must send nothing.
type mute struct{}

var errMute = errors.New("explain sends nothing; at a login a code would be sent now")

func (mute) Ready() error { return errMute }

func (mute) Send(string, method.Method, string) protocol.Answer {
	return protocol.Answer{Result: protocol.Failed}
}

func (mute) Check(string, string, string) protocol.Answer {
	return protocol.Answer{Result: protocol.Failed}
}
