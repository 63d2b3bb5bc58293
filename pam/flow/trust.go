package flow

import (
	"fmt"
	"slices"

	"latchkey/pam/factor"
	"latchkey/pam/flow/prompt"
	"latchkey/pam/flow/verdict"
	"latchkey/pam/limit"
	"latchkey/pam/method"
	"latchkey/pam/notify/event"
	"latchkey/pam/policy"
	"latchkey/pam/state"
	"latchkey/pam/trust"
)

// computer is where the login comes from, and what was decided about trusting it.
func (r Request) computer(d policy.Decision) trust.Computer {
	if d.Trust.Days == 0 {
		return trust.Computer{}
	}
	return trust.Computer{
		Trust: d.Trust, Terms: d.Terms(), Service: r.Service, Keys: r.acceptedKeys(),
		From: r.address(),
	}
}

// byTrust lets in a user who trusts the computer of this login. Its outcome is undecided if not:
// then the login goes on as if there were no trust. Codes that were wrong stay counted, as none
// was right.
func (d *dialog) byTrust(account *factor.Account) verdict.Outcome {
	now := d.Clock()
	d.trusting = len(account.State.Trusts) > 0
	d.proven = trust.Proven{User: d.r.Account(), Enrollment: account.Record.Enrollment,
		Limits: d.limits}
	refused := account.State.Refused
	isNew := factor.NewNetwork(&account.State.State, d.r.address())
	t, ok, err := trust.Find(d.Keyring, account, d.computer, now)
	if ok && !d.Rehearsal {
		// The time is on the disk before anyone is let in: a clock that is set back later does not
		// make the trust last longer.
		account.State.See(now)
		limit.Tell(&account.State.State)
		factor.LetIn(&account.State.State, state.Attempt{
			At: now, From: d.r.address(), Service: d.r.Service, Method: method.Trust,
		})
		err = factor.Commit(account.State)
	}
	switch {
	case err != nil:
		return d.unusable(err)
	case !ok:
		return verdict.Undecided
	}
	d.tellRefused(refused)
	d.network(isNew)
	return verdict.Outcome{Allow: true, Reason: verdict.OK, Method: string(method.Trust),
		Device: trust.Label(t)}
}

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
	if !d.policy.Trusting() && d.trusting && d.r.From != "" {
		d.forgetTrust()
	}
	// Where password and code came in one field, the application can ask for nothing else.
	if d.r.Kept || !d.computer.Known() ||
		trust.Crowded(d.Keyring, d.r.Account(), d.computer, d.Clock(), trust.CountTime) {
		return
	}
	answer, err := d.answer(prompt.Trust(d.computer.Days))
	switch {
	case err != nil:
		d.note("trust: %v", err)
	case prompt.Yes(answer):
		d.giveTrust()
	}
}

func (d *dialog) giveTrust() {
	if err := trust.Give(d.Keyring, d.proven, d.computer, d.Clock()); err != nil {
		d.note("the computer is not trusted: %v", err)
		d.Inform(prompt.NotTrusted)
		return
	}
	d.note("the computer is trusted for %d days", d.computer.Days)
	d.happened(event.TrustGiven, fmt.Sprintf("for %d days", d.computer.Days))
}

// forgetTrust ends what was given before trust was switched off, so that it does not come back
// when trust does.
func (d *dialog) forgetTrust() {
	if err := trust.Forget(d.Keyring, d.r.Account()); err != nil {
		d.note("trust that was given earlier could not be ended: %v", err)
	}
}
