package main

import (
	"errors"
	"fmt"
	"io/fs"

	"latchkey/enroll/app/otpauth"
	"latchkey/pam/policy"
)

// account is how an app shows the user's account: above the code there is the issuer that was
// given, or else the policy's. A policy that cannot be read keeps no one from adding a device: the
// app then shows the host's name.
func (p *program) account(who identity, issuer string) otpauth.Account {
	a := otpauth.Account{Host: otpauth.Host(), User: who.Name, Issuer: issuer}
	if issuer != "" {
		return a
	}
	rules, err := policy.Load(p.root, policy.DefaultPath)
	switch {
	case err == nil:
		a.Issuer = rules.Issuer
	case !errors.Is(err, fs.ErrNotExist):
		fmt.Fprintf(p.Err, "enroll: warning: %v; the app shows the name of this host as the "+
			"issuer\n", err)
	}
	return a
}
