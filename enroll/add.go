package main

import (
	"latchkey/enroll/hint"
	"latchkey/enroll/options"
)

// addTOTP gives a user one more authenticator app.
func (p *program) addTOTP(o options.Options) error { return p.addSecret(o, p.addApp) }

// addHOTP gives a user one more token.
func (p *program) addHOTP(o options.Options) error {
	if o.Yes && o.SecretFile == "" {
		return hint.Misuse("enroll add hotp --yes needs --secret-file: the token has its " +
			"secret already")
	}
	return p.addSecret(o, p.addToken)
}

// addSecret adds a device that has a secret, with questions or without.
func (p *program) addSecret(o options.Options, asked func(identity, options.Options) error) error {
	who, err := p.adding(o)
	switch {
	case err != nil:
		return err
	case o.Yes:
		return p.unlessThere(who, o, p.addUnasked)
	}
	return asked(who, o)
}
