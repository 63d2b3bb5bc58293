package policy

import "net/netip"

// Rule is one [[rule]]. A nil list is an absent condition; all present ones must hold.
type Rule struct {
	Line     int            // of its header
	Users    []string       // exact names
	Groups   []string       // exact names, or a netgroup behind "@"
	Services []string       // PAM services
	From     []netip.Prefix // without host bits
	Require  Require        // never empty after Parse
	Methods  []Method       // only with RequireCode; nil: all
}

func (r *Rule) set(v value) error {
	switch v.name {
	case "users":
		return some(v, &r.Users, value.user)
	case "groups":
		return some(v, &r.Groups, value.group)
	case "services":
		return some(v, &r.Services, value.service)
	case "from":
		return some(v, &r.From, value.network)
	case "require":
		return word(RequireCode, RequireNone, RequireDeny)(v, &r.Require)
	case "methods":
		return some(v, &r.Methods, word(AllMethods()...))
	}
	return v.unknown()
}

// complete checks a rule whose keys, on the given lines, have all been read.
func (r *Rule) complete(file string, lines map[string]int) error {
	if r.Require == "" {
		return errorAt(file, r.Line, `this rule does not say what it requires: "code", "none" or "deny"`)
	}
	if r.Methods != nil && r.Require != RequireCode {
		return errorAt(file, lines["methods"], "methods mean nothing in a rule that requires %q", r.Require)
	}
	return nil
}
