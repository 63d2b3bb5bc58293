package guide

import (
	"fmt"
	"testing"

	"latchkey/enroll/app/qr"
	"latchkey/sshd/terminal"
)

func TestADecoderReadsEveryDrawingFromAPictureOfTheScreen(t *testing.T) {
	for name, text := range map[string]string{
		"a usual device": "otpauth://totp/web1.example.com:alice?" +
			"secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP",
		"every parameter": "otpauth://totp/web1.example.com:alice?algorithm=SHA256&digits=8" +
			"&issuer=web1.example.com&period=60" +
			"&secret=JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXPJBSW",
	} {
		code, err := qr.Encode(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, style := range []qr.Style{qr.Blocks, qr.ASCII} {
			columns, rows := code.Size(style)
			for _, color := range []bool{true, false} {
				for _, light := range []bool{false, true} {
					d := Drawing{Style: style, Color: color, Invert: light && !color}
					t.Run(fmt.Sprintf("%s, %+v", name, d), func(t *testing.T) {
						screen := terminal.Screen{Columns: columns, Rows: rows + 2, Light: light}
						if got, err := screen.Scan(d.Of(code)); err != nil || got != text {
							t.Errorf("on a light screen: %v: read %q, %v", light, got, err)
						}
					})
				}
			}
		}
	}
}

func TestOnTheWrongBackgroundTheDecoderNeedsTheUserToSayInvert(t *testing.T) {
	code, err := qr.Encode("otpauth://totp/alice?secret=JBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	columns, rows := code.Size(qr.Blocks)
	screen := terminal.Screen{Columns: columns, Rows: rows + 2, Light: true}
	d := Drawing{}
	if got, err := screen.Scan(d.Of(code)); err == nil {
		t.Errorf("zbar reads %q from a negative: this test shows nothing", got)
	}
	if !d.Obey(" Invert\n") {
		t.Fatal("not obeyed")
	}
	if _, err := screen.Scan(d.Of(code)); err != nil {
		t.Error(err)
	}
}
