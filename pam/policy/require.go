package policy

// Require says what a rule wants of a login.
type Require string

// The values of `require`. Only RequireNone lets users in without a second factor.
const (
	RequireDeny Require = "deny"
	RequireCode Require = "code"
	RequireNone Require = "none"
)

// String returns the word in the file, "deny" for the zero value.
func (r Require) String() string {
	if r == "" {
		return string(RequireDeny)
	}
	return string(r)
}
