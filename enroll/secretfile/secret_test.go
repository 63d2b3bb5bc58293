package secretfile

import (
	"encoding/base64"
	"encoding/hex"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"

	"latchkey/pam/method"
)

const (
	plain   = "12345678901234567890"
	encoded = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
)

func totp() Secret {
	return Secret{
		Bytes: []byte(plain), Whole: true, Type: method.TOTP, Algorithm: "SHA1", Digits: 6,
		Period: 30 * time.Second,
	}
}

func hotp() Secret {
	return Secret{Bytes: []byte(plain), Whole: true, Type: method.HOTP, Algorithm: "SHA1",
		Digits: 6}
}

func with(s Secret, change func(*Secret)) Secret {
	change(&s)
	return s
}

func TestEveryFormOfASecretIsRead(t *testing.T) {
	raw := Secret{Bytes: []byte(plain)}
	hexadecimal := hex.EncodeToString([]byte(plain))
	for name, c := range map[string]struct {
		line string
		want Secret
	}{
		"base32":                        {encoded, raw},
		"base32 in small letters":       {strings.ToLower(encoded), raw},
		"base32 in groups":              {"GEZD GNBV GY3T QOJQ GEZD-GNBV-GY3T-QOJQ", raw},
		"base32 with padding":           {encoded + "====", raw},
		"hexadecimal with 0x":           {"0x" + hexadecimal, raw},
		"plain hexadecimal":             {hexadecimal, raw},
		"hexadecimal with 0x in groups": {"0x31323334 35363738 39303132-33343536-37383930", raw},
		"hexadecimal with 0X":           {"0X" + strings.ToUpper(hexadecimal), raw},
		"base32 with a tab":             {encoded[:16] + "\t" + encoded[16:], raw},
		"base32 as Windows saves it":    {"\ufeff" + encoded + "\r", raw},
		"hexadecimal in groups":         {"31323334 35363738 39303132 33343536 37383930", raw},
		"letters of hexadecimal": {"DEADBEEFDEADBEEFDEAD0189",
			Secret{Bytes: []byte("\xde\xad\xbe\xef\xde\xad\xbe\xef\xde\xad\x01\x89")}},
		"URI with the secret alone": {"otpauth://totp/alice?secret=" + encoded, totp()},
		"URI with all the usual": {"otpauth://totp/Ex:alice?secret=" + encoded +
			"&issuer=Ex&algorithm=SHA1&digits=6&period=30", totp()},
		"URI in other case": {"OTPAUTH://TOTP/alice?secret=" + strings.ToLower(encoded),
			totp()},
		"URI with a color and image": {"otpauth://totp/a?secret=" + encoded +
			"&color=ff0000&image=https%3A%2F%2Fx", totp()},
		"URI with SHA256, 8 digits and a minute": {
			"otpauth://totp/a?secret=" + encoded + "&algorithm=sha256&digits=8&period=60",
			with(totp(), func(s *Secret) {
				s.Algorithm, s.Digits, s.Period = "SHA256", 8, time.Minute
			}),
		},
		"URI with a day's period": {
			"otpauth://totp/a?secret=" + encoded + "&period=86400",
			with(totp(), func(s *Secret) { s.Period = 24 * time.Hour }),
		},
		"URI with the algorithm's other name": {
			"otpauth://totp/a?secret=" + encoded + "&algorithm=HmacSHA512",
			with(totp(), func(s *Secret) { s.Algorithm = "SHA512" }),
		},
		"URI of a token": {
			"otpauth://hotp/a?secret=" + encoded + "&counter=7",
			with(hotp(), func(s *Secret) { s.Counter = 7 }),
		},
		"export of an app":   {export(message(plain, 1, 1, 2, 0)), totp()},
		"export of defaults": {export(message(plain, 0, 0, 2, 0)), totp()},
		"export of a token": {
			export(message(plain, 2, 2, 1, 9)),
			with(hotp(), func(s *Secret) { s.Algorithm, s.Digits, s.Counter = "SHA256", 8, 9 }),
		},
	} {
		got, err := Read(strings.NewReader(c.line+"\n"), "file")
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: got %+v, %v; want %+v", name, got, err, c.want)
		}
	}
}

func TestABadSecretIsNamedAndNotQuoted(t *testing.T) {
	const uri = "otpauth://totp/a?secret=" + encoded
	for name, c := range map[string]struct{ text, want string }{
		"nothing":         {" \n", "file:1: no secret there"},
		"two lines":       {encoded + "\n" + encoded, "file:2: more than one line"},
		"a word":          {"verysecret!", "file:1: neither base32 nor hexadecimal"},
		"odd hexadecimal": {"0x123", "file:1: not hexadecimal"},
		"too short":       {"GEZDGNBV", "file:1: a secret has 10 to 128 bytes"},
		"too long": {strings.Repeat("A", 300),
			"file:1: a secret has 10 to 128 bytes"},
		"too large a file": {strings.Repeat("A", 5000), "file: larger than 4096 bytes"},
		"another type": {"otpauth://steam/a?secret=" + encoded,
			"file:1: the otpauth URI is of a type other than totp and hotp"},
		"another encoder": {uri + "&encoder=steam",
			"file:1: the otpauth URI has an unknown parameter, which might change its codes"},
		"no secret": {"otpauth://totp/a?digits=6",
			"file:1: the otpauth URI has no secret"},
		"a secret that is empty": {"otpauth://totp/a?secret=",
			"file:1: a secret has 10 to 128 bytes"},
		"two secrets": {uri + "&secret=" + encoded,
			"file:1: the otpauth URI has secret twice"},
		"MD5": {uri + "&algorithm=MD5",
			"file:1: the otpauth URI has a wrong algorithm"},
		"digits that are no number": {uri + "&digits=six",
			"file:1: the otpauth URI has a wrong digits"},
		"a period of zero": {uri + "&period=0",
			"file:1: the otpauth URI has a wrong period"},
		"a period of more than a day": {uri + "&period=86401",
			"file:1: the otpauth URI has a wrong period"},
		"a period beyond all": {uri + "&period=18446744073709551616",
			"file:1: the otpauth URI has a wrong period"},
		"7 digits": {uri + "&digits=7",
			"file:1: the otpauth URI has a wrong digits"},
		"a counter below zero": {"otpauth://hotp/a?secret=" + encoded + "&counter=-1",
			"file:1: the otpauth URI has a wrong counter"},
		"a counter beyond all": {"otpauth://hotp/a?secret=" + encoded +
			"&counter=18446744073709551615", "file:1: the otpauth URI has a wrong counter"},
		"a bad escape": {uri + "&issuer=%zz",
			"file:1: the parameters of the otpauth URI are malformed"},
		"a secret that is no base32": {"otpauth://totp/a?secret=!",
			"file:1: the otpauth URI has a wrong secret"},
		"an export of two accounts": {export(message(plain, 1, 1, 2, 0),
			message(plain, 1, 1, 2, 0)), "file:1: the export has 2 accounts; export only the " +
			"one for this user"},
		"an export of none": {export(), "file:1: the export is malformed"},
		"an export without a type": {export(message(plain, 1, 1, 0, 0)),
			"file:1: the export does not say whether the account is totp or hotp"},
		"an export with MD5": {export(message(plain, 4, 1, 2, 0)),
			"file:1: the export has an algorithm, a length of codes or a counter that is " +
				"not known"},
		"an export that is cut": {export(message(plain, 1, 1, 2, 0)[:9]),
			"file:1: the export is malformed"},
		"an export that is no text": {"otpauth-migration://offline?data=%21",
			"file:1: the export is malformed"},
	} {
		got, err := Read(strings.NewReader(c.text), "file")
		if err == nil || err.Error() != c.want || got.Bytes != nil {
			t.Errorf("%s: got %+v, %v; want the error %s", name, got, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), encoded) {
			t.Errorf("%s: %v quotes the secret", name, err)
		}
	}
}

// message is an account as the app exports it.
func message(secret string, algorithm, digits, kind, counter uint64) []byte {
	b := protowire.AppendBytes(protowire.AppendTag(nil, 1, protowire.BytesType), []byte(secret))
	b = protowire.AppendString(protowire.AppendTag(b, 2, protowire.BytesType), "alice")
	for number, value := range map[protowire.Number]uint64{4: algorithm, 5: digits, 6: kind,
		7: counter} {
		b = protowire.AppendVarint(protowire.AppendTag(b, number, protowire.VarintType), value)
	}
	return b
}

func export(accounts ...[]byte) string {
	var b []byte
	for _, account := range accounts {
		b = protowire.AppendBytes(protowire.AppendTag(b, 1, protowire.BytesType), account)
	}
	if len(accounts) > 0 {
		b = protowire.AppendVarint(protowire.AppendTag(b, 2, protowire.VarintType), 1)
	}
	return "otpauth-migration://offline?data=" +
		url.QueryEscape(base64.StdEncoding.EncodeToString(b))
}

func FuzzParseIsBounded(f *testing.F) {
	f.Add(export(message(plain, 1, 1, 2, 0)))
	f.Add("otpauth://totp/a?secret=" + encoded)
	f.Fuzz(func(t *testing.T, line string) {
		s, err := Parse(line)
		if err == nil && (len(s.Bytes) < 10 || len(s.Bytes) > 128 || s.Whole && s.Type == "") {
			t.Errorf("Parse(%q) is %+v", line, s)
		}
	})
}
