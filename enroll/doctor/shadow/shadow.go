// Package shadow finds rules of a policy that never decide, because rules above them always do.
package shadow

import (
	"net/netip"
	"slices"

	"latchkey/pam/policy"
)

// By are the rules among those above that together are for every login that another is for;
// none if some login is left to it.
func By(above []policy.Rule, r policy.Rule) (by []policy.Rule) {
	for _, part := range parts(r) {
		at := slices.IndexFunc(above, func(a policy.Rule) bool {
			return covers(a.Users, part.Users) && covers(a.Groups, part.Groups) &&
				covers(a.Services, part.Services) && coversNetworks(a.From, part.From)
		})
		if at < 0 {
			return nil
		}
		if !slices.ContainsFunc(by, func(b policy.Rule) bool { return b.Line == above[at].Line }) {
			by = append(by, above[at])
		}
	}
	return by
}

// mostParts is how many parts of one rule are looked at one by one.
const mostParts = 1000

// parts are a rule for each of its users, groups, services and networks: each may be decided by
// another rule above.
func parts(r policy.Rule) []policy.Rule {
	if max(1, len(r.Users))*max(1, len(r.Groups))*max(1, len(r.Services))*max(1, len(r.From)) >
		mostParts {
		return []policy.Rule{r}
	}
	all := []policy.Rule{r}
	all = split(all, r.Users, func(p *policy.Rule, one []string) { p.Users = one })
	all = split(all, r.Groups, func(p *policy.Rule, one []string) { p.Groups = one })
	all = split(all, r.Services, func(p *policy.Rule, one []string) { p.Services = one })
	return split(all, r.From, func(p *policy.Rule, one []netip.Prefix) { p.From = one })
}

// split gives each rule with each value alone.
func split[T any](rules []policy.Rule, values []T,
	set func(*policy.Rule, []T)) (all []policy.Rule) {
	if len(values) == 0 {
		return rules
	}
	for _, r := range rules {
		for i := range values {
			set(&r, values[i:i+1])
			all = append(all, r)
		}
	}
	return all
}

// covers reports whether one list, where no list is everything, has all that another has.
func covers(wide, narrow []string) bool {
	outside := func(s string) bool { return !slices.Contains(wide, s) }
	return wide == nil || narrow != nil && !slices.ContainsFunc(narrow, outside)
}

// coversNetworks is covers for networks. A list of networks is never everything: logins from
// nowhere are in none.
func coversNetworks(wide, narrow []netip.Prefix) bool {
	outside := func(n netip.Prefix) bool { return !anyContains(Merged(wide), n) }
	return wide == nil || narrow != nil && !slices.ContainsFunc(narrow, outside)
}

// Merged adds to networks those that two of them make up together.
func Merged(networks []netip.Prefix) []netip.Prefix {
	all := slices.Clone(networks)
	for i := 0; i < len(all); i++ {
		n := all[i]
		if n.Bits() == 0 {
			continue
		}
		whole := netip.PrefixFrom(n.Addr(), n.Bits()-1).Masked()
		first, second := halves(whole)
		if anyContains(all, first) && anyContains(all, second) && !slices.Contains(all, whole) {
			all = append(all, whole)
		}
	}
	return all
}

// anyContains reports whether one of some networks has all of another.
func anyContains(networks []netip.Prefix, n netip.Prefix) bool {
	return slices.ContainsFunc(networks, func(w netip.Prefix) bool {
		return w.Bits() <= n.Bits() && w.Contains(n.Addr())
	})
}

func halves(n netip.Prefix) (first, second netip.Prefix) {
	bytes := n.Addr().AsSlice()
	bytes[n.Bits()/8] |= 0x80 >> (n.Bits() % 8)
	a, _ := netip.AddrFromSlice(bytes)
	return netip.PrefixFrom(n.Addr(), n.Bits()+1), netip.PrefixFrom(a, n.Bits()+1)
}
