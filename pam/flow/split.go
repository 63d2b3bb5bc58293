package flow

import (
	"errors"

	"latchkey/pam/factor"
	"latchkey/pam/field"
	"latchkey/pam/flow/verdict"
)

// split answers a line with the argument split, which stands above the password's: where in what
// was typed the code begins. It never lets anyone in, and whether a user may log in is not asked
// here: the password is not known to be right yet, so strangers must learn nothing.
func (f Flow) split(r Request) verdict.Outcome {
	if r.Typed == nil {
		return verdict.Deny(verdict.NoAnswer, "the password could not be asked for")
	}
	if r.Lookup == LookupFailed {
		return checkName(r)
	}
	return verdict.Outcome{Reason: verdict.Split, Cut: f.codes(r).Cut(*r.Typed), Unlogged: true}
}

// codes are those that the user has. Nothing is taken off what others type, nor where enroll asks
// for the password.
func (f Flow) codes(r Request) field.Codes {
	if checkName(r) != verdict.Undecided || r.isEnroll() {
		return field.Codes{}
	}
	codes, err := f.Authority.Codes(r.Account())
	switch {
	case errors.Is(err, factor.ErrUnenrolled):
		return field.Codes{}
	case err != nil:
		return field.Unknown() // the line below says what is wrong, to users who know the password
	}
	return codes
}
