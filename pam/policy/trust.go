package policy

import (
	"fmt"
	"slices"

	"latchkey/pam/method"
	"latchkey/pam/strict"
)

// Trust is the table [trust]: computers that need no code for a while.
type Trust struct {
	Days int    // how long, 0 to 365; 0 switches trust off
	Bind []Bind // what a computer is recognized by, all of it, never empty after Parse
}

// maxTrustDays is the longest that a computer can be trusted.
const maxTrustDays = 365

// Bind is something a trusted computer is recognized by.
type Bind string

// The values of `bind`.
const (
	BindKey     Bind = "key"     // the SSH key it used
	BindAddress Bind = "address" // the address it came from
)

func (t *Trust) set(v strict.Value) error {
	switch v.Name {
	case "days":
		return v.Int(&t.Days, 0, maxTrustDays)
	case "bind":
		return strict.Some(v, &t.Bind, strict.Word(BindKey, BindAddress))
	}
	return v.Unknown()
}

// By reports whether a computer is recognized by b.
func (t Trust) By(b Bind) bool { return slices.Contains(t.Bind, b) }

// trusts is what a rule that asks for a code says about trust: its own days, or those of [trust].
func (p *Policy) trusts(rule Rule) Trust {
	t := p.Trust
	if rule.TrustDays != nil {
		t.Days = *rule.TrustDays
	}
	return t.sorted()
}

// Trusting reports whether any login may lead to trust.
func (p *Policy) Trusting() bool {
	trusting := func(r Rule) bool { return r.TrustDays != nil && *r.TrustDays > 0 }
	return p.Trust.Days > 0 || slices.ContainsFunc(p.Rules, trusting)
}

// sorted is t with what it binds to in one order, so that only what it says makes a difference.
func (t Trust) sorted() Trust {
	if t.Days == 0 {
		return Trust{}
	}
	t.Bind = slices.Sorted(slices.Values(t.Bind))
	return t
}

// Stricter returns trust that ends no later and is bound to no less than either.
func (t Trust) Stricter(other Trust) Trust {
	t.Days = min(t.Days, other.Days)
	t.Bind = slices.Compact(slices.Sorted(slices.Values(slices.Concat(t.Bind, other.Bind))))
	return t.sorted()
}

// Terms are what a computer is trusted under, as one line. A trust that was given under other
// terms means nothing, so everything that decides what a login with a code must do is in it.
func (d Decision) Terms() string {
	methods := slices.DeleteFunc(method.All(), missing(d.Methods))
	return fmt.Sprintf("%s %q %d %q", d.Require, methods, d.Trust.Days, d.Trust.Bind)
}
