package secretfile

import (
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
	"latchkey/pam/record"
)

// shown are parameters that say how an app shows an account, and nothing about its codes.
var shown = []string{"issuer", "image", "icon", "color", "lock"}

// fromURI reads otpauth://TYPE/LABEL?secret=…, with all parameters that change codes.
// (https://github.com/google/google-authenticator/wiki/Key-Uri-Format)
func fromURI(line string) (Secret, error) {
	u, err := url.Parse(line)
	if err != nil {
		return Secret{}, errors.New("the otpauth URI is malformed")
	}
	query, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return Secret{}, errors.New("the parameters of the otpauth URI are malformed")
	}
	s := Secret{Whole: true, Algorithm: "SHA1", Digits: 6}
	switch strings.ToLower(u.Host) {
	case "totp":
		s.Type, s.Period = method.TOTP, 30*time.Second
	case "hotp":
		s.Type = method.HOTP
	default:
		return Secret{}, errors.New("the otpauth URI is of a type other than totp and hotp")
	}
	for name, values := range query {
		if len(values) > 1 {
			return Secret{}, fmt.Errorf("the otpauth URI has %s twice", known(name))
		}
		if err := s.set(name, values[0]); err != nil {
			return Secret{}, err
		}
	}
	if s.Bytes == nil {
		return Secret{}, errors.New("the otpauth URI has no secret")
	}
	return s, nil
}

// known is a parameter's name for an error; one that is not ours could hold anything.
func known(name string) string {
	if slices.Contains(append(shown, "secret", "algorithm", "digits", "period", "counter"), name) {
		return name
	}
	return "an unknown parameter"
}

// set takes one parameter. One that is unknown might change the codes, as encoder=steam does.
func (s *Secret) set(name, value string) (err error) {
	switch name {
	case "secret":
		s.Bytes, err = Decode(value)
	case "algorithm":
		s.Algorithm, err = algorithm(value)
	case "digits":
		if s.Digits, err = strconv.Atoi(value); err == nil && s.Digits != 6 && s.Digits != 8 {
			err = errors.New("only 6 and 8 exist")
		}
	case "period":
		s.Period, err = period(value)
	case "counter":
		s.Counter, err = strconv.ParseUint(value, 10, 64)
		if s.Counter > oath.MaxCounter {
			err = errors.New("it is too large")
		}
	default:
		if known(name) != name {
			return errors.New("the otpauth URI has an unknown parameter, which might change " +
				"its codes")
		}
	}
	if err != nil {
		return fmt.Errorf("the otpauth URI has a wrong %s", name)
	}
	return nil
}

// algorithm is the name of a hash as the record writes it: apps also write HMACSHA1 or SHA-1.
func algorithm(value string) (string, error) {
	name := strings.TrimPrefix(strings.ReplaceAll(strings.ToUpper(value), "-", ""), "HMAC")
	if !slices.Contains([]string{"SHA1", "SHA256", "SHA512"}, name) {
		return "", errors.New("unknown algorithm")
	}
	return name, nil
}

// period is a number of seconds.
func period(value string) (time.Duration, error) {
	n, err := strconv.ParseUint(value, 10, 32)
	step := time.Duration(n) * time.Second
	if err == nil && (step < time.Second || step > record.MaxPeriod) {
		err = errors.New("it is too short or too long")
	}
	return step, err
}
