package options

import (
	"strings"

	"latchkey/pam/policy"
)

// issuer is what an app shows above its codes, held to what latchkey.toml takes.
type issuer string

func (i *issuer) String() string { return string(*i) }

// Set takes the text as it is.
func (i *issuer) Set(text string) error {
	if !policy.IsIssuer(text) {
		return &mustBe{strings.TrimPrefix(policy.IssuerMust, "be ")}
	}
	*i = issuer(text)
	return nil
}
