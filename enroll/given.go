package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"latchkey/enroll/hint"
	"latchkey/enroll/options"
	"latchkey/enroll/secretfile"
	"latchkey/pam/enrollment"
	"latchkey/pam/method"
)

// givenSecret is the secret for a new device: a new random one, or the one in the file that the
// options name, and the options with the parameters that came with it.
func (p *program) givenSecret(o options.Options) ([]byte, options.Options, error) {
	if o.SecretFile == "" {
		return enrollment.NewSecret(strings.ToUpper(o.Algorithm)), o, nil
	}
	s, err := p.readSecretFile(o.SecretFile)
	if err != nil {
		return nil, o, err
	}
	o, err = agreed(o, s)
	return s.Bytes, o, err
}

func (p *program) readSecretFile(path string) (secretfile.Secret, error) {
	if path == "-" {
		return secretfile.Read(p.In, "standard input")
	}
	f, err := os.Open(path)
	if err != nil {
		return secretfile.Secret{}, err
	}
	defer f.Close()
	return secretfile.Read(f, path)
}

// agreed is o with the parameters of the secret. An option that says something else is an error:
// one of the two is a mistake, and codes would be wrong.
func agreed(o options.Options, s secretfile.Secret) (options.Options, error) {
	if !s.Whole {
		return o, nil
	}
	if asked := typeOf(o); asked != s.Type {
		return o, hint.Error(fmt.Sprintf("the secret is of a %s, not of a %s", s.Type, asked),
			"enroll add "+string(s.Type))
	}
	period := o.Period
	if s.Type == method.TOTP {
		period = int(s.Period / time.Second)
	}
	for _, p := range []struct{ option, given, own string }{
		{"algorithm", strings.ToUpper(o.Algorithm), s.Algorithm},
		{"digits", strconv.Itoa(o.Digits), strconv.Itoa(s.Digits)},
		{"period", strconv.Itoa(o.Period), strconv.Itoa(period)},
		{"counter", strconv.FormatUint(o.Counter, 10), strconv.FormatUint(s.Counter, 10)},
	} {
		if o.Given[p.option] && p.given != p.own {
			return o, hint.Misuse("--%s is %s, but the secret came with %s", p.option, p.given,
				p.own)
		}
	}
	o.Algorithm, o.Digits, o.Period, o.Counter = s.Algorithm, s.Digits, period, s.Counter
	return o, nil
}
