package policy

import (
	"net/netip"

	"latchkey/pam/method"
	"latchkey/pam/policy/value"
	"latchkey/pam/strict"
)

// Rule is one [[rule]]. A nil list is an absent condition; all present ones must hold.
type Rule struct {
	Line     int             // of its header
	Users    []string        // exact names
	Groups   []string        // exact names, or a netgroup behind "@"
	Services []string        // PAM services
	From     []netip.Prefix  // without host bits
	Require  Require         // never empty after Parse
	Methods  []method.Method // only with RequireCode; nil: all
	// TrustDays is how long computers are trusted, 0 to 365; only with RequireCode; nil: as
	// [trust] says.
	TrustDays *int
	// Unenrolled and EnrollBy are for users without a record; only with RequireCode; empty: as the
	// file says for all.
	Unenrolled Unenrolled
	EnrollBy   value.Date
}

func (r *Rule) set(v strict.Value) error {
	switch v.Name {
	case "users":
		return strict.Some(v, &r.Users, value.User)
	case "groups":
		return strict.Some(v, &r.Groups, value.Group)
	case "services":
		return strict.Some(v, &r.Services, value.Service)
	case "from":
		return strict.Some(v, &r.From, value.Network)
	case "require":
		return strict.Word(RequireCode, RequireNone, RequireDeny)(v, &r.Require)
	case "methods":
		return strict.Some(v, &r.Methods, strict.Word(method.All()...))
	case "unenrolled":
		return strict.Word(UnenrolledDeny, UnenrolledAllow, UnenrolledEnroll)(v, &r.Unenrolled)
	case "enroll_by":
		return r.EnrollBy.Read(v)
	case "trust_days":
		r.TrustDays = new(int)
		return v.Int(r.TrustDays, 0, maxTrustDays)
	}
	return v.Unknown()
}

// complete checks a rule whose keys, on the given lines, have all been read.
func (r *Rule) complete(s strict.Schema, lines map[string]int) error {
	if r.Require == "" {
		return s.ErrorAt(r.Line,
			`this rule does not say what it requires: "code", "none" or "deny"`)
	}
	for _, key := range []string{"methods", "trust_days", "unenrolled", "enroll_by"} {
		if line, set := lines[key]; set && r.Require != RequireCode {
			return s.ErrorAt(line, "%s cannot be set in a rule that requires %q", key, r.Require)
		}
	}
	return nil
}
