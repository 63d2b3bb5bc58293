// Package verdict is what a login came to, why, and what PAM is told of it.
package verdict

import (
	"latchkey/pam/field"
	"latchkey/pam/policy"
)

// Reason is the one word in the log that says why; the list is closed.
type Reason string

// The reasons.
const (
	OK         Reason = "ok"           // a code was accepted
	Wrong      Reason = "wrong"        // the last code typed matched nothing
	Replayed   Reason = "replayed"     // the last code typed had been used
	Expired    Reason = "expired"      // a code that was sent, too late
	Locked     Reason = "locked"       // too many wrong codes; nothing was compared
	Unenrolled Reason = "unenrolled"   // no record
	Exempt     Reason = "exempt"       // a rule requires nothing
	Forbidden  Reason = "forbidden"    // a rule says deny, or allows no method the user has
	NoAnswer   Reason = "conversation" // it failed or ended
	Name       Reason = "name"         // malformed, unknown, or the name service does not say
	Record     Reason = "record"       // factor.ErrRecord: it must not be used, or is lost
	State      Reason = "state"        // factor.ErrState: missing, damaged, locked or not saved
	Config     Reason = "config"       // latchkey.toml or fleet.toml cannot be used
	Argument   Reason = "argument"     // a module argument
	Service    Reason = "service"      // Twilio
	Fleet      Reason = "fleet"        // its service did not answer, or refused this host
	Offline    Reason = "offline"      // a break-glass code of this host was accepted
	Internal   Reason = "internal"

	// MustEnroll: nothing is decided, the user has to enroll first; never logged.
	MustEnroll  Reason = "enroll"
	Split       Reason = "split"     // the answer to split; never logged
	NoPublicKey Reason = "publickey" // the answer to if_publickey; never logged
)

// Outcome is what a login came to. The zero value denies.
type Outcome struct {
	Allow  bool
	Reason Reason
	Method string // as in the log: totp, …; empty if no factor was used
	Device string // its label
	Tries  int    // answers typed
	Detail string // for the log

	Cut    field.Cut      // with Split: what to take off
	Policy *policy.Policy // with MustEnroll: the policy in force

	// Unlogged: no decision about a login was made (if_publickey asks about the stack, split takes
	// apart what was typed), so there is no line to write.
	Unlogged bool
}

// Undecided is a step that found no reason to end the login. As an outcome it denies.
var Undecided = Outcome{Reason: OK}

// Return values of pam_sm_authenticate(3), as in Linux-PAM's _pam_types.h.
const (
	pamSuccess         = 0
	pamSystemErr       = 4
	pamAuthErr         = 7
	pamAuthInfoUnavail = 9
	pamUserUnknown     = 10
	pamMaxTries        = 11
	pamConvErr         = 19
)

// PAM is the outcome as a PAM return value; what is not in the two tables is PAM_SYSTEM_ERR.
func (o Outcome) PAM() int {
	if o.Allow {
		return allowed(o.Reason)
	}
	return denied(o.Reason)
}

// allowed is the table of the reasons that can let a user in.
func allowed(r Reason) int {
	switch r {
	case OK, Unenrolled, Exempt, Offline:
		return pamSuccess
	}
	return pamSystemErr
}

// denied is the table from reasons to what PAM is told. On PAM_MAXTRIES sshd asks no more: more
// guesses need a new connection, which costs the password again, and users for whom no code would
// help are not asked for the password once more.
func denied(r Reason) int {
	switch r {
	case Wrong, Replayed, Expired, Locked, Unenrolled, Forbidden:
		return pamMaxTries
	case NoAnswer:
		return pamConvErr
	case Name:
		return pamUserUnknown
	case Record, State, Config, Argument, Service, Fleet:
		return pamAuthInfoUnavail
	case NoPublicKey:
		return pamAuthErr
	}
	return pamSystemErr
}

// Noting adds to the detail what could not be told and made the login a stricter one.
func (o Outcome) Noting(doubts string) Outcome {
	switch {
	case doubts == "":
	case o.Detail == "":
		o.Detail = doubts
	default:
		o.Detail += "; " + doubts
	}
	return o
}

// Allow lets the user in.
func Allow(why Reason) Outcome { return Outcome{Allow: true, Reason: why} }

// Deny denies; detail is for the log.
func Deny(why Reason, detail string) Outcome { return Outcome{Reason: why, Detail: detail} }
