package doctor

import (
	"time"

	"latchkey/pam/policy"
)

// checkPolicy reads a policy, and warns of users it lets in without a code because they have no record.
func (d Doctor) checkPolicy(path string) Finding {
	rules, err := policy.Load(d.Root, path)
	if err != nil {
		return fault(path, err, "until it can be read every login is denied")
	}
	if until := rules.EnrollBy.String(); until >= d.Clock().Format(time.DateOnly) {
		return warning(path, "until "+until+" is over, who has not enrolled gets in without a code", "")
	}
	if rules.Unenrolled == policy.UnenrolledAllow {
		return warning(path, "who has not enrolled gets in without a code", `unenrolled = "deny"`)
	}
	return okay(path)
}
