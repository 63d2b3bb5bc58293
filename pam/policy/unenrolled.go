package policy

import (
	"time"

	"latchkey/pam/policy/value"
)

// Unenrolled says what happens to a user who has no record.
type Unenrolled string

// The values of `unenrolled`. Only UnenrolledAllow lets users in; a value that a caller does not
// know or implement is a denial.
const (
	UnenrolledDeny   Unenrolled = "deny"
	UnenrolledAllow  Unenrolled = "allow"
	UnenrolledEnroll Unenrolled = "enroll" // set up a device inside the login
)

// String returns the word in the file, "deny" for the zero value.
func (u Unenrolled) String() string {
	if u == "" {
		return string(UnenrolledDeny)
	}
	return string(u)
}

// Newcomers says what happens to users who have no record where a code is required. The zero
// Newcomers keeps them out.
type Newcomers struct {
	EnrollBy value.Date // the last day on which they pass with a reminder; the zero Date: never
	Then     Unenrolled // after that
}

// Remind reports whether they pass with a reminder on the day of a time.
func (n Newcomers) Remind(now time.Time) bool {
	return !n.EnrollBy.IsZero() && n.Then != UnenrolledAllow &&
		now.Format(time.DateOnly) <= n.EnrollBy.String()
}

// newcomers is what a rule says, or what the file says for all. A rule that has a word of its own
// means it from today: the file's date is for the others.
func (p *Policy) newcomers(rule Rule) Newcomers {
	n := Newcomers{p.EnrollBy, p.Unenrolled}
	if rule.Unenrolled != "" {
		n = Newcomers{Then: rule.Unenrolled}
	}
	if !rule.EnrollBy.IsZero() {
		n.EnrollBy = rule.EnrollBy
	}
	if n.Then == UnenrolledAllow {
		n.EnrollBy = value.Date{} // they pass on any day
	}
	return n
}

// stricterNewcomers lets users in on no day on which a or b would not, and asks no less of them.
func stricterNewcomers(a, b Newcomers) Newcomers {
	switch {
	case a.Then == UnenrolledAllow:
		return b
	case b.Then == UnenrolledAllow:
		return a
	}
	if b.EnrollBy.String() < a.EnrollBy.String() { // "" is never
		a.EnrollBy = b.EnrollBy
	}
	if a.Then != b.Then {
		a.Then = UnenrolledDeny
	}
	return a
}
