package qr

import (
	"strings"
	"testing"
)

const (
	secret160 = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
	secret256 = secret160 + "JBSWY3DPEHPK3PXPJBSW"
)

func TestACodeIsAsSmallAsItsTextAllows(t *testing.T) {
	for _, c := range []struct {
		name, text    string
		columns, rows int
	}{
		{"nothing", "", 25, 13},
		{"short names, no defaults", "otpauth://totp/web1:alice?issuer=web1&secret=" + secret160,
			37, 19},
		{"long names, no defaults",
			"otpauth://totp/web1.example.com:alice?issuer=web1.example.com&secret=" + secret160,
			41, 21},
		{"every parameter", "otpauth://totp/web1:alice?algorithm=SHA1&digits=6&issuer=web1" +
			"&period=30&secret=" + secret160, 41, 21},
		{"256 bits", "otpauth://totp/web1:alice?issuer=web1&secret=" + secret256, 41, 21},
	} {
		t.Run(c.name, func(t *testing.T) {
			code, err := Encode(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if columns, rows := code.Size(Blocks); columns != c.columns || rows != c.rows {
				t.Errorf("%d bytes take %d columns and %d rows, want %d and %d", len(c.text),
					columns, rows, c.columns, c.rows)
			}
		})
	}
}

func TestTextThatIsTooLongIsAnError(t *testing.T) {
	if _, err := Encode(strings.Repeat("a", 2953)); err != nil {
		t.Errorf("2953 bytes, which fit: %v", err)
	}
	if _, err := Encode(strings.Repeat("a", 2954)); err == nil ||
		err.Error() != "too long for a QR code" {
		t.Errorf("2954 bytes: %v", err)
	}
}
