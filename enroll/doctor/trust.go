package doctor

import (
	"slices"

	"latchkey/pam/policy"
)

// checkTrust finds computers that are recognized by their address alone, which all users share
// who are behind one router.
func checkTrust(path string, rules *policy.Policy) []Finding {
	if !rules.Trusting() || slices.Contains(rules.Trust.Bind, policy.BindKey) {
		return nil
	}
	text := "a computer that is trusted by its address alone is every computer behind that " +
		"address, " +
		"and anyone who knows the password needs no code there"
	return []Finding{warning(path, text, `bind = ["key"] or ["key", "address"] in [trust]`)}
}
