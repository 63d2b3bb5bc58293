package flow

import (
	"fmt"
	"slices"

	"latchkey/pam/authority"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/method"
	"latchkey/pam/notify/event"
)

// proving are the methods after which a computer may be trusted: those of a device that the user
// has now. A recovery code or one that root gave out is for those who have none.
var proving = []method.Method{method.TOTP, method.HOTP, method.SMS, method.Call}

// offerTrust asks a user whom a code has let in whether to trust this computer, once and only
// where it can be recognized. The login is decided: no answer to this question, nor the lack of
// one, lets anyone in or keeps anyone out.
func (d *dialog) offerTrust(o verdict.Outcome) {
	if !o.Allow || !slices.Contains(proving, method.Method(o.Method)) {
		return
	}
	if !d.policy.Trusting() && d.began.Trusting && d.r.From != "" {
		d.forgetTrust()
	}
	// Where password and code came in one field, the application can ask for nothing else.
	if d.r.Kept || !d.login.Computer().Known() || d.Authority.Crowded(d.login) {
		return
	}
	answer, err := d.answer(prompt.Trust(d.login.Trust.Days))
	switch {
	case err != nil:
		d.note("trust: %v", err)
	case prompt.Yes(answer):
		d.giveTrust()
	}
}

func (d *dialog) giveTrust() {
	if err := d.Authority.Trust(authority.Trust{Login: d.login, Enrollment: d.began.Enrollment,
		Device: d.proven.ID}); err != nil {
		d.note("the computer is not trusted: %v", err)
		d.Inform(prompt.NotTrusted)
		return
	}
	d.note("the computer is trusted for %d days", d.login.Trust.Days)
	d.happened(event.TrustGiven, fmt.Sprintf("for %d days", d.login.Trust.Days))
}

// forgetTrust ends what was given before trust was switched off, so that it does not come back
// when trust does.
func (d *dialog) forgetTrust() {
	if err := d.Authority.Forget(d.login.User); err != nil {
		d.note("trust that was given earlier could not be ended: %v", err)
	}
}
