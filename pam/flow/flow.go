// Package flow is a login: what is asked, in which order, and what comes of it.
package flow

import (
	"errors"
	"time"

	"latchkey/pam/authority"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/notify/event"
	"latchkey/pam/policy"
	"latchkey/pam/record"
)

// Flow is what a login needs from the world.
type Flow struct {
	Root      string              // prefix of the configuration's path; "" but in tests
	Host      string              // this machine's name
	Authority authority.Authority // which knows the user's account
	Clock     func() time.Time
	Talk      Conversation
	// Debug receives how the decision was made, if the module has the argument debug.
	Debug func(text string)
	// Rehearsal: no one logs in, so nothing is saved up to the first answer.
	Rehearsal bool
	// Notify receives what a program of the administrator's is to be told when the login is
	// decided.
	Notify func(program string, e event.Event)
	// LogAs receives how the log is to be written, once the policy is read.
	LogAs func(policy.LogFormat)
}

// Run conducts one login. It denies unless every step says otherwise. The reason MustEnroll asks
// the caller to have the user set up a second factor first; until that succeeds it is a denial.
func (f Flow) Run(r Request) verdict.Outcome {
	args, err := parseArguments(r.Args)
	if err != nil {
		return verdict.Deny(verdict.Argument, err.Error())
	}
	if args.IfPublicKey {
		return ifPublicKey(r)
	}
	if args.Split {
		return f.split(r)
	}
	rules, err := policy.Load(f.Root, args.Policy())
	if err == nil && f.LogAs != nil {
		f.LogAs(rules.Log.Format)
	}
	if o := checkName(r); o != verdict.Undecided {
		return o
	}
	if r.isEnroll() {
		return verdict.Allow(verdict.Exempt)
	}
	if err != nil {
		f.Inform(prompt.Sorry)
		return verdict.Deny(verdict.Config, err.Error())
	}
	d, err := f.decide(rules, r)
	if err != nil {
		return verdict.Deny(verdict.NoAnswer, err.Error())
	}
	if args.Debug {
		f.Debug(d.Why)
	}
	return f.follow(rules, d, r).Noting(d.Doubts())
}

// decide asks the policy. The error says that the host went away while it was asked about a group.
func (f Flow) decide(rules *policy.Policy, r Request) (d policy.Decision, ended error) {
	member := func(group string) (bool, error) {
		in, err := f.Talk.InGroup(group)
		if errors.Is(err, ErrConversation) {
			ended = err
		}
		return in, err
	}
	d = rules.Decide(policy.Request{User: r.Name, Service: r.Service, From: r.From,
		InGroup: member})
	return d, ended
}

// follow does what the policy decided.
func (f Flow) follow(rules *policy.Policy, d policy.Decision, r Request) verdict.Outcome {
	switch d.Require {
	case policy.RequireNone:
		return verdict.Allow(verdict.Exempt)
	case policy.RequireCode:
		asked := &dialog{Flow: f, r: r, policy: rules, newcomers: d.Newcomers,
			login: f.login(rules, d, r)}
		return asked.run()
	}
	f.Inform("You may not log in here.")
	if rules.Help != "" {
		f.Inform(rules.Help)
	}
	return verdict.Deny(verdict.Forbidden, d.Why)
}

// login is what the authority is told of a login in which a code is asked for.
func (f Flow) login(rules *policy.Policy, d policy.Decision, r Request) authority.Login {
	return authority.Login{
		User: r.Account(), Service: r.Service, From: r.address(), Keys: r.acceptedKeys(),
		Methods: d.Methods, Limits: rules.Limits, OnlyAttested: rules.RequireAttestation,
		Trust: d.Trust, Terms: d.Terms(), Rehearsal: f.Rehearsal,
	}
}

// Inform shows a text to the user, in lines that fit 80 columns.
func (f Flow) Inform(text string) { f.Talk.Tell(prompt.Wrap(text)) }

// enrollService is the PAM service by which enroll(8) asks for the password. Where all services
// that do so ask for a code too (pam-auth-update --enable latchkey puts the module into
// common-auth), enroll would ask for it twice, the second time for a used one, and a user without
// a device could never set one up. enroll itself asks for what it needs, regardless of the policy.
// For any other application with a service of that name the policy decides.
const enrollService = "enroll"

// isEnroll reports whether enroll itself asks for the password.
func (r Request) isEnroll() bool { return r.Service == enrollService && r.ByEnroll }

// ifPublicKey answers the question of the argument if_publickey, which the PAM configuration
// branches on.
func ifPublicKey(r Request) verdict.Outcome {
	if r.publicKeyAccepted() {
		return verdict.Outcome{Allow: true, Reason: verdict.OK, Unlogged: true}
	}
	return verdict.Outcome{Reason: verdict.NoPublicKey, Unlogged: true}
}

// checkName denies users that the name service does not vouch for, and names that no file could
// have. Its outcome is verdict.Undecided if there is nothing to say.
func checkName(r Request) verdict.Outcome {
	switch r.Lookup {
	case Found:
	case NoSuchUser:
		return verdict.Deny(verdict.Name, "no such user")
	default:
		return verdict.Deny(verdict.Internal, "the name service does not answer")
	}
	for _, name := range []string{r.User, r.Name} {
		if err := record.CheckName(name); err != nil {
			return verdict.Deny(verdict.Name, err.Error())
		}
	}
	return verdict.Undecided
}
