package doctor

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"latchkey/enroll/doctor/shadow"
	"latchkey/pam/policy"
	"latchkey/pam/policy/value"
)

// checkPolicy reads a policy, and finds users it lets in without a code because they have no
// record, and rules that do not do what a rule is for.
func (d Doctor) checkPolicy(path string) []Finding {
	rules, err := policy.Load(d.Root, path)
	if err != nil {
		return []Finding{fault(path, err, "until it can be read, every login is denied")}
	}
	found := d.checkNewcomers(path, "users", rules.EnrollBy, rules.Unenrolled)
	found = append(found, d.checkRules(path, rules)...)
	found = append(found, checkTrust(path, rules)...)
	found = append(found, d.checkNotify(path, rules)...)
	if len(found) == 0 {
		found = []Finding{okay(path)}
	}
	return found
}

// checkNewcomers is about users without a second factor, of the whole policy or of one rule.
func (d Doctor) checkNewcomers(place, users string, by value.Date,
	then policy.Unenrolled) []Finding {
	text := users + " who have not enrolled get in without a code"
	if until := by.String(); until >= d.Clock().Format(time.DateOnly) {
		return []Finding{warning(place, "until "+until+" is over, "+text, "")}
	}
	if then == policy.UnenrolledAllow {
		return []Finding{warning(place, text, `unenrolled = "deny"`)}
	}
	return nil
}

// checkRules looks at each rule by itself and at what those above leave to it.
func (d Doctor) checkRules(path string, rules *policy.Policy) []Finding {
	var found []Finding
	for i, r := range rules.Rules {
		place := fmt.Sprintf("%s:%d", path, r.Line)
		if by := shadow.By(rules.Rules[:i], r); by != nil {
			err := fmt.Errorf("this rule never decides: %s for all its logins", named(by))
			found = append(found, fault(place, err, "put the narrower rule first"))
			continue
		}
		found = append(found, d.checkOutcome(place, rules, i)...)
		found = append(found,
			d.checkNewcomers(place, "users of this rule", r.EnrollBy, r.Unenrolled)...)
		found = append(found, d.checkNames(place, r)...)
	}
	return found
}

// named names rules by their lines.
func named(rules []policy.Rule) string {
	var lines []string
	for _, r := range rules {
		lines = append(lines, strconv.Itoa(r.Line))
	}
	if len(lines) == 1 {
		return "the one on line " + lines[0] + " is"
	}
	return "those on lines " + strings.Join(lines, ", ") + " are"
}

// checkOutcome finds a rule that lets everyone in, or no one.
func (d Doctor) checkOutcome(place string, rules *policy.Policy, at int) []Finding {
	const hint = "give it users, groups or from"
	r := rules.Rules[at]
	everyone := d.forEveryone(r)
	above := func(others ...policy.Require) bool { return requires(rules.Rules[:at], others...) }
	switch {
	case r.Require == policy.RequireCode:
		return d.checkMethods(place, rules, r)
	case r.Require == policy.RequireNone && everyone &&
		!above(policy.RequireCode, policy.RequireDeny):
		return []Finding{fault(place, errors.New("this rule lets everyone in without a code"),
			hint)}
	case r.Require == policy.RequireNone && everyone:
		const text = "this rule lets everyone in without a code for whom no rule above is"
		return []Finding{warning(place, text, hint)}
	case r.Require == policy.RequireDeny && everyone &&
		!above(policy.RequireCode, policy.RequireNone):
		return []Finding{fault(place, errors.New("this rule keeps everyone out"), hint)}
	}
	return nil
}

func requires(rules []policy.Rule, any ...policy.Require) bool {
	for _, r := range rules {
		for _, a := range any {
			if r.Require == a {
				return true
			}
		}
	}
	return false
}
