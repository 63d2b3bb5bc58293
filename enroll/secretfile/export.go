package secretfile

import (
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"latchkey/pam/factor/oath"
	"latchkey/pam/method"
)

var errExport = errors.New("the export is malformed")

// fromExport reads otpauth-migration://offline?data=…, the QR code by which Google Authenticator
// moves accounts to another phone: a protocol buffer in base64, with one account or several.
func fromExport(line string) (Secret, error) {
	u, err := url.Parse(line)
	if err != nil {
		return Secret{}, errExport
	}
	// A plus that is not escaped is read as a blank.
	data := strings.ReplaceAll(u.Query().Get("data"), " ", "+")
	payload, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(data, "="))
	if err != nil || len(payload) == 0 {
		return Secret{}, errExport
	}
	var accounts [][]byte
	err = fields(payload, func(n protowire.Number, _ uint64, bytes []byte) error {
		if n == 1 {
			accounts = append(accounts, bytes)
		}
		return nil
	})
	if err != nil {
		return Secret{}, err
	}
	if len(accounts) != 1 {
		return Secret{}, fmt.Errorf("the export has %d accounts; export only the one for "+
			"this user", len(accounts))
	}
	return account(accounts[0])
}

// account is one message OtpParameters.
func account(message []byte) (Secret, error) {
	s := Secret{Whole: true, Algorithm: "SHA1", Digits: 6}
	err := fields(message, func(n protowire.Number, value uint64, bytes []byte) error {
		return s.setField(n, value, bytes)
	})
	switch {
	case err != nil:
		return Secret{}, err
	case s.Type == method.TOTP:
		s.Period = 30 * time.Second
	case s.Type != method.HOTP:
		return Secret{}, errors.New("the export does not say whether the account is totp or hotp")
	}
	return s, nil
}

// setField takes one field; 2 and 3 are the account's name and issuer. 0 means the usual value.
func (s *Secret) setField(n protowire.Number, value uint64, bytes []byte) error {
	ok := true
	switch n {
	case 1:
		s.Bytes = bytes
	case 4:
		s.Algorithm, ok = choose(value, "SHA1", "SHA1", "SHA256", "SHA512")
	case 5:
		s.Digits, ok = choose(value, 6, 6, 8)
	case 6:
		s.Type, ok = choose(value, "", method.HOTP, method.TOTP)
	case 7:
		s.Counter, ok = value, value <= oath.MaxCounter
	}
	if !ok {
		return errors.New("the export has an algorithm, a length of codes or a counter that " +
			"is not known")
	}
	return nil
}

// choose is the value with this number.
func choose[T any](number uint64, values ...T) (value T, ok bool) {
	if number >= uint64(len(values)) {
		return value, false
	}
	return values[number], true
}

// fields calls do for each field of a message: with a number, or with bytes.
func fields(message []byte, do func(n protowire.Number, value uint64, bytes []byte) error) error {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return errExport
		}
		message = message[size:]
		var value uint64
		var bytes []byte
		switch kind {
		case protowire.VarintType:
			value, size = protowire.ConsumeVarint(message)
		case protowire.BytesType:
			bytes, size = protowire.ConsumeBytes(message)
		default:
			size = protowire.ConsumeFieldValue(number, kind, message)
		}
		if size < 0 {
			return errExport
		}
		if err := do(number, value, bytes); err != nil {
			return err
		}
		message = message[size:]
	}
	return nil
}
